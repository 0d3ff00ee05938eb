"""The `studio` commands that are about this machine."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from clients.cli.demo import demo_environment
from clients.cli.main import app
from deploy.local.lock import DataDirLock
from deploy.local.ports import free_ports
from deploy.local.secrets import FILE, keep_secrets
from tests.unit.cli.scripted_api import Studio


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    names = ("STUDIO_PORT", "PROMPT_PORT", "GENERATION_PORT", "STORAGE_PORT")
    ports = {name: str(port) for name, port in zip(names, free_ports(4), strict=True)}
    return {**ports, "STUDIO_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def studio(environ: dict[str, str]) -> Studio:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env=environ)

    return run


def found(result: Result) -> dict[str, bool]:
    return {finding["what"]: finding["ok"] for finding in json.loads(result.stdout)}


def test_doctor_finds_a_machine_well_on_which_nothing_runs_yet(studio: Studio) -> None:
    result = studio("doctor", "--json")

    assert result.exit_code == 0, result.stdout
    assert set(found(result)) == {
        *("python", "generated code", "envoy", "nats-server", "settings", "data directory", "secrets", "ports"),
        *("database", "image provider", "pictures", "system"),
    }


def test_doctor_looks_without_touching(studio: Studio, tmp_path: Path) -> None:
    studio("doctor")

    assert list(tmp_path.iterdir()) == []


def test_doctor_names_a_port_that_is_in_use(studio: Studio, environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(environ["PROMPT_PORT"]))):
        result = studio("doctor")

    assert result.exit_code == 1
    assert f"PROMPT_PORT: port {environ['PROMPT_PORT']} is already in use" in result.stdout


def test_doctor_finds_secrets_that_others_can_read(studio: Studio, tmp_path: Path) -> None:
    keep_secrets(tmp_path / "data")
    (tmp_path / "data" / FILE).chmod(0o644)

    result = studio("doctor", "--json")

    assert result.exit_code == 1
    assert found(result)["secrets"] is False


def test_doctor_says_which_parts_of_a_running_system_do_not_answer(studio: Studio, tmp_path: Path) -> None:
    lock = DataDirLock(tmp_path / "data")
    lock.acquire()

    result = studio("doctor", "--json")
    lock.release()

    assert result.exit_code == 1
    states = found(result)
    assert states["system"] is True
    assert not any(states[part] for part in ("prompt", "generation", "storage", "gateway"))


def test_doctor_names_every_bad_variable(studio: Studio, environ: dict[str, str]) -> None:
    environ.update(STUDIO_PORT="eighty", STUDIO_ENV="staging")

    result = studio("doctor")

    assert result.exit_code == 1
    assert "STUDIO_ENV" in result.stdout and "STUDIO_PORT" in result.stdout


def test_up_names_a_port_in_use_and_starts_nothing(studio: Studio, environ: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", int(environ["STUDIO_PORT"]))):
        result = studio("up")

    assert result.exit_code == 1
    assert result.stderr.strip() == f"STUDIO_PORT: port {environ['STUDIO_PORT']} is already in use"
    assert not (tmp_path / "data" / "logs").exists()


def test_up_names_every_bad_variable_of_the_parts_and_starts_nothing(
    studio: Studio, environ: dict[str, str], tmp_path: Path
) -> None:
    environ.update(START_BY="soon", SIGNED_URL_TTL="0", STUDIO_PUBLIC_URL="studio.example.com")

    result = studio("up")

    assert result.exit_code == 2
    names = [line.partition(":")[0] for line in result.stderr.splitlines()]
    assert names == ["SIGNED_URL_TTL", "START_BY", "STUDIO_PUBLIC_URL"]
    assert not (tmp_path / "data" / "logs").exists()


def test_up_names_an_origin_the_gateway_would_refuse(studio: Studio, environ: dict[str, str]) -> None:
    environ.update(CORS_ORIGINS="https://app.example.com, *")

    result = studio("up")

    assert result.exit_code == 2
    assert result.stderr.startswith("CORS_ORIGINS: '*' is not an origin")


def test_up_says_who_uses_the_data_directory(studio: Studio, tmp_path: Path) -> None:
    lock = DataDirLock(tmp_path / "data")
    lock.acquire()

    result = studio("up")
    lock.release()

    assert result.exit_code == 1
    assert "is in use by process" in result.stderr


def test_the_demo_touches_no_other_system_no_network_and_no_money() -> None:
    environ = demo_environment(
        {
            "PATH": "/bin",
            "STUDIO_DATA_DIR": "data",
            "STUDIO_PROVIDER": "gemini",
            "STUDIO_STORAGE": "supabase",
            "DATABASE_URL": "postgresql://production",
            "NATS_URL": "nats://production",
            "STUDIO_PORT": "8080",
        }
    )

    assert environ["STUDIO_DATA_DIR"] == "data/demo"
    assert (environ["STUDIO_PROVIDER"], environ["STUDIO_STORAGE"]) == ("sketch", "local")
    assert (environ["DATABASE_URL"], environ["NATS_URL"], environ["STUDIO_PORT"]) == ("", "", "0")
    assert environ["PATH"] == "/bin"
