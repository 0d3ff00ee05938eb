"""Runs a service: gRPC with health and reflection, background work beside it, and a graceful stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

import grpc
import uvloop
from grpc_health.v1 import health_pb2
from grpc_health.v1._async import HealthServicer
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from chassis.auth import Access, Policy, TokenVerifier, grpc_methods
from chassis.database import MigrationError
from chassis.errors import ServiceError
from chassis.interceptors import Guard
from chassis.settings import ServiceSettings, SettingsError, read_settings
from chassis.telemetry import configure_logging

log = logging.getLogger(__name__)

GRACE = 10.0
"""Seconds that calls and work under way get to finish after SIGTERM."""
CHECK_EVERY = 1.0
CHECK_TIMEOUT = 5.0

Work = Callable[[], Coroutine[Any, Any, None]]
"""Runs until it is cancelled."""
Check = Callable[[], Awaitable[None]]
"""Raises ServiceError when what it checks cannot serve."""

INFRASTRUCTURE = {
    **grpc_methods(HEALTH, {"Check": Access.PUBLIC, "Watch": Access.PUBLIC, "List": Access.PUBLIC}),
    **grpc_methods(reflection.SERVICE_NAME, {"ServerReflectionInfo": Access.PUBLIC}),
}
"""Methods every service has."""


class Role(StrEnum):
    """Which half of a service this process is."""

    SERVER = "server"
    """Answers calls."""
    WORKER = "worker"
    """Consumes work; serves health only."""
    ALL = "all"

    @property
    def serves(self) -> bool:
        """Whether it answers calls."""
        return self is not Role.WORKER

    @property
    def works(self) -> bool:
        """Whether it consumes work."""
        return self is not Role.SERVER


@dataclass(frozen=True, slots=True)
class Service:
    """What a service's wiring hands over to be run."""

    name: str
    port: int
    """0: a free one."""
    methods: Mapping[str, Access]
    """Who may call each of its methods, by full name."""
    register: Sequence[Callable[[grpc.aio.Server], None]]
    """Adds its servicers."""
    verifier: TokenVerifier
    serving: Check
    """Health `""`: this process can answer; steers the gateway."""
    ready: Check
    """Health `ready`: every dependency answers; feeds `/readyz` alone."""
    work: Sequence[Work] = ()
    """Background work, each started once and cancelled at the stop."""
    drain: Sequence[Callable[[], Awaitable[None]]] = ()
    """Called at the stop, together with the server's own; each returns when its work is finished or given back."""
    service_names: Sequence[str] = field(default=())
    """Full names, for reflection."""


class StartRefused(Exception):
    """The service cannot start as things are; the message says what to mend."""


T = TypeVar("T", bound=ServiceSettings)
Build = Callable[[AsyncExitStack], Awaitable[Service]]
"""Makes a service; what it opens, it leaves on the stack to be closed in turn."""


@asynccontextmanager
async def running(service: Service) -> AsyncIterator[int]:
    """Runs a service until the block ends; yields the port it listens on.

    Raises:
        StartRefused: the port is taken.
    """
    health = HealthServicer()
    server = grpc.aio.server(
        interceptors=[Guard(Policy({**INFRASTRUCTURE, **service.methods}), service.verifier)],
        # Without so_reuseport=0 a second server would bind a used port in silence; violations need room in a header.
        options=[("grpc.so_reuseport", 0), ("grpc.max_metadata_size", 64 * 1024)],
    )
    for register in service.register:
        register(server)
    add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection((*service.service_names, HEALTH, reflection.SERVICE_NAME), server)
    port = _bind(server, service.port)
    await server.start()
    tasks = [asyncio.create_task(work()) for work in service.work]
    tasks.append(asyncio.create_task(_watch_health(service, health)))
    for task in tasks:
        task.add_done_callback(_complain)
    log.info("listening", extra={"port": port})
    try:
        yield port
    finally:
        await health.enter_graceful_shutdown()
        await asyncio.gather(server.stop(GRACE), *(drain() for drain in service.drain))
        await _cancel(tasks)


def main(
    name: str, settings_class: type[T], build: Callable[[T, Role, AsyncExitStack], Awaitable[Service]]
) -> NoReturn:
    """The command line of a service. Exits with 2 and a sentence when it cannot start as things are."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{name}")
    parser.add_argument("--role", type=Role, choices=list(Role), default=Role.ALL)
    role = parser.parse_args().role
    try:
        settings = read_settings(settings_class)
        run(settings, name, lambda stack: build(settings, role, stack))
    except (SettingsError, StartRefused, MigrationError) as refusal:
        print(f"{name} does not start:\n{refusal}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0)


def run(settings: ServiceSettings, name: str, build: Build) -> None:
    """Runs a service until SIGTERM or SIGINT."""
    configure_logging(name, settings.log_level)
    uvloop.run(_run(build))


async def _run(build: Build) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack, running(await build(stack)):
        await stop.wait()
        log.info("stopping")
    log.info("stopped")


def _bind(server: grpc.aio.Server, port: int) -> int:
    try:
        return server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        raise StartRefused(f"port {port} is taken by another program") from error


async def _watch_health(service: Service, health: HealthServicer) -> None:
    while True:
        for name, check in (("", service.serving), ("ready", service.ready)):
            await health.set(name, await _state(name, check))
        await asyncio.sleep(CHECK_EVERY)


async def _state(name: str, check: Check) -> int:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            await check()
    except (ServiceError, TimeoutError) as error:
        log.warning("not healthy", extra={"check": name or "serving", "why": str(error) or "timed out"})
        return health_pb2.HealthCheckResponse.NOT_SERVING
    return health_pb2.HealthCheckResponse.SERVING


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("background work died", exc_info=error)
        # A half-living service is worse than one that is started again.
        signal.raise_signal(signal.SIGTERM)


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
