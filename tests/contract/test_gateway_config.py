"""What a gateway is configured from, and what Envoy is given."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.__main__ import main
from gateway.config import envoy_config
from gateway.process import envoy_command, write_config
from gateway.settings import Address, GatewaySettings, parse_addresses, split_origins
from tests.builders import SERVICE_SECRET, USER_SECRET

HERE = Address("127.0.0.1", 50051)
ENVIRONMENT = {"SERVICE_JWT_SECRET": SERVICE_SECRET, "JWT_SECRET": USER_SECRET}


def settings(**others: Any) -> GatewaySettings:
    given: dict[str, Any] = {
        "port": 8080,
        "admin_port": 9901,
        "service_jwt_secret": SERVICE_SECRET,
        "jwt_secret": USER_SECRET,
        **dict.fromkeys(("prompt", "generation", "storage"), (HERE,)),
    }
    return GatewaySettings(**{**given, **others})


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "app.example.com",
        "https://app.example.com/",
        "https://App.example.com",
        "https://*.example.com",
        "",
    ],
)
def test_what_no_browser_sends_is_no_origin(origin: str) -> None:
    with pytest.raises(ValueError, match="CORS_ORIGINS"):
        settings(cors_origins=("https://app.example.com", origin))


def test_a_wildcard_is_refused_with_its_reason() -> None:
    with pytest.raises(ValueError, match="credentials"):
        settings(cors_origins=("*",))


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(
        ValueError, match=r"SERVICE_JWT_SECRET.*JWT_JWKS_URL.*CORS_ORIGINS.*admin_port 0.*storage 99999"
    ):
        settings(
            service_jwt_secret="", jwt_secret=None, cors_origins=("*",), admin_port=0, storage=(Address("h", 99999),)
        )


@pytest.mark.parametrize("url", ["file:///etc/passwd", "keys.json", "https://"])
def test_public_keys_come_over_http_only(url: str) -> None:
    with pytest.raises(ValueError, match="JWT_JWKS_URL"):
        settings(jwt_jwks_url=url)


def test_origins_are_separated_by_commas() -> None:
    assert split_origins(" https://a.example.com,, http://localhost:5173 ") == (
        "https://a.example.com",
        "http://localhost:5173",
    )
    assert split_origins("") == ()


@pytest.mark.parametrize(
    ("text", "address"),
    [("prompt:50051", Address("prompt", 50051)), ("[::1]:1", Address("::1", 1))],
)
def test_an_address_has_a_host_and_a_port(text: str, address: Address) -> None:
    assert Address.parse(text) == address


def test_the_replicas_of_a_service_are_separated_by_commas() -> None:
    assert parse_addresses("10.0.0.1:1, [::1]:2,prompt:3") == (
        Address("10.0.0.1", 1), Address("::1", 2), Address("prompt", 3),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", ",", "10.0.0.1:1,", "10.0.0.1:1 10.0.0.2:1"])
def test_a_list_with_a_gap_is_no_list_of_replicas(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        parse_addresses(text)


def test_a_service_is_somewhere() -> None:
    with pytest.raises(ValueError, match="storage is nowhere"):
        settings(storage=())


@pytest.mark.parametrize("text", ["", "prompt", ":1", "prompt:", "prompt:http"])
def test_anything_else_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        Address.parse(text)


def test_settings_that_are_printed_show_no_secret() -> None:
    assert SERVICE_SECRET not in repr(settings()) and USER_SECRET not in repr(settings())


def test_the_configuration_is_for_its_owners_eyes(tmp_path: Path) -> None:
    path = tmp_path / "envoy.json"
    path.write_text("an older one, readable by all")
    path.chmod(0o644)

    write_config(settings(), path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == envoy_config(settings())
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"jwt_jwks_url": "https://x.supabase.co/auth/v1/.well-known/jwks.json", "jwt_secret": None},
        {"cors_origins": ("https://app.example.com",), "access_log": Path("/dev/stdout"), "host": "0.0.0.0"},
        {"prompt": (Address("prompt.studio.svc", 50051),)},
        {"generation": (HERE, Address("127.0.0.1", 50062), Address("::1", 50062))},
    ],
)
def test_envoy_takes_the_configuration_and_finds_nothing_outdated(tmp_path: Path, others: dict[str, Any]) -> None:
    path = tmp_path / "envoy.json"
    write_config(settings(**others), path)

    checked = subprocess.run([*envoy_command(path), "--mode", "validate"], capture_output=True, text=True)

    assert checked.returncode == 0, checked.stderr
    assert "deprecated" not in checked.stderr.lower()


NEVER_SENT = {"connect-failure", "refused-stream", "reset-before-request"}


def retries() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """What each route matches, and how it tries again."""
    [listener] = envoy_config(settings())["static_resources"]["listeners"]
    [filters] = listener["filter_chains"]
    [api] = filters["filters"][0]["typed_config"]["route_config"]["virtual_hosts"]
    routes = [each for each in api["routes"] if each.get("route", {}).get("cluster", "nowhere") != "nowhere"]
    return [(each["match"], each["route"]["retry_policy"]) for each in routes]


def test_every_call_may_find_another_replica() -> None:
    policies = [policy for _, policy in retries()]

    assert len(policies) > 10
    for policy in policies:
        [predicate] = policy["retry_host_predicate"]
        assert predicate["name"] == "envoy.retry_host_predicates.previous_hosts"
        assert policy["num_retries"] == 2
        assert set(policy["retry_on"].split(",")) >= {"connect-failure", "refused-stream"}


def test_only_reads_and_jobs_under_a_key_are_sent_twice() -> None:
    sent_twice = [match for match, policy in retries() if not set(policy["retry_on"].split(",")) <= NEVER_SENT]

    reads = [match for match in sent_twice if _header(match, ":method") == {"safe_regex": {"regex": "GET|HEAD"}}]
    [under_a_key] = [match for match in sent_twice if match not in reads]
    assert len(reads) == 5
    assert under_a_key["path"] == "/api/v1/generate"
    assert {"name": "idempotency-key", "present_match": True} in under_a_key["headers"]


def _header(match: dict[str, Any], name: str) -> Any:
    return next((each["string_match"] for each in match.get("headers", ()) if each["name"] == name), None)


def test_readiness_is_known_well_within_25_seconds() -> None:
    clusters = envoy_config(settings())["static_resources"]["clusters"]
    checks = [each["health_checks"][0] for each in clusters if each["name"].endswith("_ready")]

    assert len(checks) == 3
    for check in checks:
        seconds = sum(float(check[name].removesuffix("s")) for name in ("timeout", "interval"))
        assert check["unhealthy_threshold"] * seconds < 15


def test_the_command_writes_a_configuration_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**ENVIRONMENT, "STUDIO_PORT": "8181", "PROMPT_ADDRESS": "prompt:1, [::1]:2"}.items():
        monkeypatch.setenv(name, value)

    assert main(["--output", str(tmp_path / "envoy.json"), "--admin-port", "9902"]) == 0

    config = yaml.safe_load((tmp_path / "envoy.json").read_text())
    expected = settings(
        port=8181,
        admin_port=9902,
        prompt=(Address("prompt", 1), Address("::1", 2)),
        generation=(Address("127.0.0.1", 50052),),
        storage=(Address("127.0.0.1", 50053),),
    )
    assert config == envoy_config(expected)


def test_the_command_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "SERVICE_JWT_SECRET: is not set" in capsys.readouterr().err


def test_the_command_names_the_service_whose_address_is_bad(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**ENVIRONMENT, "STORAGE_ADDRESS": "127.0.0.1:1,storage"}.items():
        monkeypatch.setenv(name, value)

    assert main([]) == 2
    assert "STORAGE_ADDRESS: 'storage' is not an address" in capsys.readouterr().err
