"""The secrets of a system on one machine, and the tokens made with them."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from chassis.auth import TokenVerifier
from chassis.settings import SettingsError
from deploy.local.secrets import FILE, keep_secrets, service_token, user_token, with_secrets
from deploy.local.settings import LocalSettings, read_local_settings

SECRET = "a secret of at least thirty-two bytes"
OTHER = "another secret of thirty-two bytes or more"


def settings(data_dir: Path, **variables: str) -> LocalSettings:
    return read_local_settings({"STUDIO_DATA_DIR": str(data_dir), **variables})


def revealed(secret: SecretStr | None) -> str:
    assert secret is not None
    return secret.get_secret_value()


def claims(token: str, secret: str = SECRET) -> dict[str, Any]:
    return jwt.decode(token, secret, algorithms=["HS256"], options={"verify_aud": False})


def test_missing_secrets_are_made_once_and_outlive_a_restart(tmp_path: Path) -> None:
    first = with_secrets(settings(tmp_path))
    second = with_secrets(settings(tmp_path))

    for name in ("jwt_secret", "service_jwt_secret", "files_secret", "nats_password"):
        assert revealed(getattr(first, name)) == revealed(getattr(second, name))


def test_no_secret_is_used_for_two_things(tmp_path: Path) -> None:
    kept = keep_secrets(tmp_path)

    assert len({kept.jwt_secret, kept.service_jwt_secret, kept.files_secret, kept.nats_password}) == 4


def test_only_the_owner_can_read_the_secrets(tmp_path: Path) -> None:
    keep_secrets(tmp_path)

    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_starters_that_race_agree_on_the_secrets(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as starters:
        found = list(starters.map(keep_secrets, [tmp_path] * 32))

    assert len(set(found)) == 1


def test_processes_that_race_agree_on_the_secrets(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from deploy.local.secrets import keep_secrets; "
        "print(keep_secrets(Path(sys.argv[1])).jwt_secret)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]

    answers = {starter.communicate(timeout=30)[0] for starter in starters}

    assert len(answers) == 1


def test_a_secret_from_the_environment_wins_over_the_one_that_is_kept(tmp_path: Path) -> None:
    keep_secrets(tmp_path)

    chosen = with_secrets(settings(tmp_path, JWT_SECRET=SECRET))

    assert revealed(chosen.jwt_secret) == SECRET
    assert revealed(chosen.files_secret) == keep_secrets(tmp_path).files_secret


def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"jwt_secret": ')

    with pytest.raises(SettingsError, match=r"secrets.json: is damaged; remove it"):
        keep_secrets(tmp_path)

    assert (tmp_path / FILE).read_text() == '{"jwt_secret": '


def test_production_names_every_missing_secret_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refusal:
        with_secrets(settings(tmp_path, STUDIO_ENV="production"))

    names = [line.partition(":")[0] for line in str(refusal.value).splitlines()]
    assert names == ["FILES_SECRET", "JWT_SECRET", "NATS_URL", "SERVICE_JWT_SECRET"]
    assert list(tmp_path.iterdir()) == []


def test_production_runs_on_the_secrets_it_is_given(tmp_path: Path) -> None:
    given = {"SERVICE_JWT_SECRET": SECRET, "FILES_SECRET": OTHER, "NATS_URL": "nats://nats:4222"}

    chosen = with_secrets(settings(tmp_path, STUDIO_ENV="production", JWT_JWKS_URL="https://keys.example.com", **given))

    assert chosen.jwt_secret is None
    assert claims(revealed(chosen.service_token))["role"] == "service_role"
    assert list(tmp_path.iterdir()) == []


def test_a_service_token_that_is_given_is_kept(tmp_path: Path) -> None:
    given = service_token(SECRET)

    chosen = with_secrets(settings(tmp_path, SERVICE_TOKEN=given))

    assert revealed(chosen.service_token) == given


def test_no_secret_shows_in_what_the_settings_print(tmp_path: Path) -> None:
    chosen = with_secrets(settings(tmp_path))

    for name in ("jwt_secret", "service_jwt_secret", "files_secret", "nats_password", "service_token"):
        assert revealed(getattr(chosen, name)) not in repr(chosen)


async def test_a_user_token_is_shaped_as_the_apps_tokens_and_is_accepted() -> None:
    token = user_token(SECRET, "ninja", ttl=60, tier="pro")

    found = claims(token)
    assert set(found) == {"sub", "exp", "iat", "jti", "type", "tier", "email"}
    assert (found["sub"], found["type"], found["tier"]) == ("ninja", "access", "pro")
    assert found["exp"] - found["iat"] == 60
    caller = await TokenVerifier(user_secret=SECRET, service_secret=OTHER).verify(f"Bearer {token}")
    assert (caller.user_id, caller.tier, caller.is_service) == ("ninja", "pro", False)


async def test_a_service_token_is_accepted_as_a_service() -> None:
    verifier = TokenVerifier(user_secret=OTHER, service_secret=SECRET)

    caller = await verifier.verify(f"Bearer {service_token(SECRET)}")

    assert caller.is_service


def test_no_two_tokens_share_an_id() -> None:
    assert claims(user_token(SECRET, "ninja"))["jti"] != claims(user_token(SECRET, "ninja"))["jti"]


def test_a_token_names_its_issuer_and_audience_where_they_are_checked() -> None:
    found = claims(user_token(SECRET, "ninja", issuer="https://id.example.com", audience="authenticated"))

    assert (found["iss"], found["aud"]) == ("https://id.example.com", "authenticated")
