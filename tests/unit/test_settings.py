"""Settings: read once, all bad ones reported at once, and no secret shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field, ValidationError

from chassis.settings import Port, ServiceSettings, Settings, SettingsError, read_settings
from tests.builders import SERVICE_SECRET, USER_SECRET

RIGHT = {"NATS_URL": "nats://studio:hunter2@nats:4222", "JWT_SECRET": USER_SECRET, "SERVICE_JWT_SECRET": SERVICE_SECRET}


class Printer(Settings):
    port: Port = Field(9100, alias="PRINTER_PORT")
    paper: str = Field(alias="PRINTER_PAPER")


def refusal(**environ: str) -> list[str]:
    """What is wrong, line by line."""
    with pytest.raises(SettingsError) as error:
        read_settings(ServiceSettings, {**RIGHT, **environ})
    return str(error.value).splitlines()


def test_what_is_not_set_has_a_default() -> None:
    settings = read_settings(ServiceSettings, RIGHT)

    assert (settings.environment, settings.log_level, settings.listen_host) == ("local", "INFO", "127.0.0.1")
    assert settings.database_url is None


def test_all_bad_variables_are_reported_at_once_and_in_order() -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(
            ServiceSettings,
            {"STUDIO_ENV": "staging", "NATS_REPLICAS": "many", "LOG_LEVEL": "LOUD", "JWT_SECRET": "short"},
        )

    lines = str(error.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "JWT_SECRET", "LOG_LEVEL", "NATS_REPLICAS", "NATS_URL", "SERVICE_JWT_SECRET", "STUDIO_ENV",
    ]  # fmt: skip
    assert "NATS_URL: is not set" in lines
    assert "JWT_SECRET: must have at least 32 bytes" in lines


def test_no_value_is_shown() -> None:
    values = {"STUDIO_ENV": "hunter2", "NATS_REPLICAS": "hunter2", "JWT_SECRET": "hunter2", "JWT_JWKS_URL": "hunter2"}

    assert "hunter2" not in str(refusal(**values))


def test_a_variable_that_is_empty_is_not_set() -> None:
    settings = read_settings(ServiceSettings, {**RIGHT, "DATABASE_URL": "", "JWT_ISSUER": "", "LOG_LEVEL": ""})

    assert (settings.database_url, settings.jwt_issuer, settings.log_level) == (None, None, "INFO")
    assert refusal(NATS_URL="") == ["NATS_URL: is not set"]


@pytest.mark.parametrize("name", ["JWT_SECRET", "SERVICE_JWT_SECRET"])
def test_a_secret_has_at_least_32_bytes(name: str) -> None:
    assert refusal(**{name: "x" * 31}) == [f"{name}: must have at least 32 bytes"]
    assert read_settings(ServiceSettings, {**RIGHT, name: "x" * 32})
    assert read_settings(ServiceSettings, {**RIGHT, name: "é" * 16})


def test_users_and_services_do_not_share_a_secret() -> None:
    assert refusal(SERVICE_JWT_SECRET=USER_SECRET) == ["SERVICE_JWT_SECRET: must not be JWT_SECRET again"]


def test_some_user_can_call() -> None:
    keys = "https://x.supabase.co/auth/v1/.well-known/jwks.json"

    assert refusal(JWT_SECRET="") == ["JWT_JWKS_URL: must be set when JWT_SECRET is not, or no user can call"]
    assert read_settings(ServiceSettings, {**RIGHT, "JWT_SECRET": "", "JWT_JWKS_URL": keys}).jwt_jwks_url == keys


@pytest.mark.parametrize("url", ["keys", "file:///etc/passwd", "ftp://x/keys", "https://", "//x/keys"])
def test_public_keys_come_over_http(url: str) -> None:
    assert refusal(JWT_JWKS_URL=url) == ["JWT_JWKS_URL: must be an http or https address"]


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 0.0),
        ({"STUDIO_ENV": "production"}, 2.0),
        ({"STOP_NOTICE": "1.5"}, 1.5),
        ({"STUDIO_ENV": "production", "STOP_NOTICE": "0"}, 0.0),
    ],
)
def test_who_stops_gives_notice_in_production(environ: dict[str, str], seconds: float) -> None:
    assert read_settings(ServiceSettings, {**RIGHT, **environ}).stop_notice == seconds


@pytest.mark.parametrize("notice", ["-1", "5.1", "soon"])
def test_a_notice_leaves_time_to_finish(notice: str) -> None:
    [line] = refusal(STOP_NOTICE=notice)

    assert line.startswith("STOP_NOTICE: ")


def test_no_secret_is_shown() -> None:
    given = {**RIGHT, "DATABASE_URL": "postgresql://studio:hunter2@db/studio"}

    settings = read_settings(ServiceSettings, given)

    shown = f"{settings} {settings!r} {settings.model_dump_json(exclude={'nats_url', 'database_url'})}"
    for secret in ("hunter2", USER_SECRET, SERVICE_SECRET):
        assert secret not in shown


def test_only_the_documented_names_are_read() -> None:
    settings = read_settings(Printer, {"PRINTER_PAPER": "A4", "port": "1", "paper": "A5", "PRINTER_COLOUR": "red"})

    assert (settings.port, settings.paper) == (9100, "A4")


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", "80.5"])
def test_a_port_is_one(port: str) -> None:
    with pytest.raises(SettingsError, match=r"^PRINTER_PORT: "):
        read_settings(Printer, {"PRINTER_PAPER": "A4", "PRINTER_PORT": port})


def test_settings_do_not_change() -> None:
    settings = read_settings(Printer, {"PRINTER_PAPER": "A4"})

    with pytest.raises(ValidationError):
        settings.port = 1


def test_each_service_has_a_database_of_its_own(tmp_path: Path) -> None:
    embedded = read_settings(ServiceSettings, {**RIGHT, "STUDIO_DATA_DIR": str(tmp_path)})
    shared = read_settings(ServiceSettings, {**RIGHT, "DATABASE_URL": "postgresql://db/studio"})

    assert embedded.database("prompt") == f"sqlite:///{tmp_path}/prompt.db"
    assert shared.database("prompt") == "postgresql://db/studio"
