"""Runs a service: gRPC with health and reflection, background work beside it, and a graceful stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import NoReturn, TypeVar

import grpc
import uvloop
from grpc_health.v1.health import SERVICE_NAME as HEALTH
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection

from chassis.auth import Access, Policy, grpc_methods
from chassis.database import DatabaseRefused, MigrationError
from chassis.ending import end
from chassis.health import Health, Pace, publish_health
from chassis.interceptors import Guard
from chassis.patience import Trouble, patiently
from chassis.service import Farewell, Role, Service, StartRefused, Work
from chassis.settings import ServiceSettings, SettingsError, read_settings
from chassis.telemetry import configure_logging

__all__ = ["GRACE", "Role", "Service", "StartRefused", "Work", "WorkDied", "main", "run", "running"]

log = logging.getLogger(__name__)

GRACE = 7.0
"""Seconds after SIGTERM, the notice included, in which calls and work under way finish; Docker kills after ten."""
TIDYING = 2.0
"""Seconds more that work gets which did not finish, to give itself back."""
PACE = Pace()
LOOPBACK = "127.0.0.1"
OPTIONS = [
    # Without it a second server would bind a used port in silence.
    ("grpc.so_reuseport", 0),
    # With it, windows grow to megabytes: what is sent faster than we read it would wait in our memory.
    ("grpc.http2.bdp_probe", 0),
    # Tokens are large, and so are the violations of a bad request.
    ("grpc.max_metadata_size", 64 * 1024),
    # Callers may ping to see whether we hang, also when nothing else is said; the default sends them away for it.
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A watcher whose network is gone is noticed after a minute and a bit.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
]

INFRASTRUCTURE = {
    **grpc_methods(HEALTH, {"Check": Access.PUBLIC, "Watch": Access.PUBLIC}),
    **grpc_methods(reflection.SERVICE_NAME, {"ServerReflectionInfo": Access.PUBLIC}),
}
"""Methods every service has."""


class WorkDied(Exception):
    """Background work ended with an error; a half-living service is worse than one that is started again."""


T = TypeVar("T", bound=ServiceSettings)
Build = Callable[[AsyncExitStack], Awaitable[Service]]
"""Makes a service; what it opens, it leaves on the stack to be closed in turn."""


@asynccontextmanager
async def running(
    service: Service,
    *,
    host: str = LOOPBACK,
    pace: Pace = PACE,
    notice: float = 0.0,
    grace: float = GRACE,
    stop: asyncio.Event | None = None,
) -> AsyncIterator[int]:
    """Runs a service until the block ends; yields the port it listens on.

    Args:
        service: what to run.
        host: the address to listen on.
        pace: how often health is checked.
        notice: seconds at the end in which it says that it stops, and still takes calls.
        grace: seconds at the end, the notice included, that calls and work under way get to finish.
        stop: set when background work has died, so that the block may end.

    Raises:
        StartRefused: the port is taken.
        WorkDied: when the block ends, if background work has.
    """
    health = Health("", "ready")
    server = _server(service, health)
    port = _bind(server, service, host)
    await server.start()
    tasks = [
        *(asyncio.create_task(work()) for work in service.work),
        asyncio.create_task(publish_health(health, "", service.serving, pace)),
        asyncio.create_task(publish_health(health, "ready", service.ready, pace)),
    ]
    for task in tasks:
        task.add_done_callback(partial(_mourn, stop))
    log.info("listening", extra={"port": port})
    try:
        yield port
    finally:
        await health.stop()
        await _stop(service, server, [health.close, *service.farewell], notice, grace)
        await _end(tasks)


def main(
    name: str, settings_class: type[T], build: Callable[[T, Role, AsyncExitStack], Awaitable[Service]]
) -> NoReturn:
    """The command line of a service.

    Exits with 2 and a sentence when it cannot start as things are, with 1 and a line in the log when it died.
    """
    parser = argparse.ArgumentParser(prog=f"python -m services.{name}")
    parser.add_argument("--role", type=Role, choices=list(Role), default=Role.ALL)
    role = parser.parse_args().role
    try:
        settings = read_settings(settings_class)
        run(settings, name, lambda stack: build(settings, role, stack))
    except (SettingsError, StartRefused, DatabaseRefused, MigrationError) as refusal:
        print(f"{name} does not start:\n{refusal}", file=sys.stderr)
        sys.exit(2)
    except WorkDied:
        sys.exit(1)
    except Exception as error:
        log.critical("died", exc_info=error)
        sys.exit(1)
    sys.exit(0)


def run(settings: ServiceSettings, name: str, build: Build) -> None:
    """Runs a service until SIGTERM or SIGINT."""
    configure_logging(name, settings.log_level)
    uvloop.run(_run(build, settings.listen_host, settings.stop_notice))


async def _run(build: Build, host: str, notice: float) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        service = await _unless(stop, _build_patiently(build, stack))
        if service is not None:
            async with running(service, host=host, notice=notice, stop=stop):
                await stop.wait()
                log.info("stopping")
    log.info("stopped")


async def _build_patiently(build: Build, stack: AsyncExitStack) -> Service:
    """Builds it when what it needs is there: a process that ended instead would be started again and again."""

    async def build_whole() -> Service:
        async with AsyncExitStack() as opened:
            service = await build(opened)
            stack.push_async_exit(opened.pop_all())
            return service

    return await patiently(build_whole, Trouble(log, "waiting to start"))


async def _unless(stop: asyncio.Event, building: Awaitable[Service]) -> Service | None:
    """What is built, or None if we are told to stop before that."""
    task, stopping = asyncio.ensure_future(building), asyncio.create_task(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        await end(task, patience=TIDYING)
        return None
    stopping.cancel()
    return task.result()


def _server(service: Service, health: Health) -> grpc.aio.Server:
    guard = Guard(Policy({**INFRASTRUCTURE, **service.methods}), service.verifier)
    server = grpc.aio.server(interceptors=[guard], options=OPTIONS)
    for register in service.register:
        register(server)
    add_HealthServicer_to_server(health, server)
    reflection.enable_server_reflection((*service.service_names, HEALTH, reflection.SERVICE_NAME), server)
    return server


def _bind(server: grpc.aio.Server, service: Service, host: str) -> int:
    try:
        return server.add_insecure_port(f"{host}:{service.port}")
    except RuntimeError as error:
        name = f"{service.name.upper()}_PORT"
        raise StartRefused(f"{name}: port {service.port} is taken by another program") from error


def _mourn(stop: asyncio.Event | None, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("background work died", exc_info=error)
        if stop is not None:
            stop.set()


async def _stop(
    service: Service, server: grpc.aio.Server, farewells: Sequence[Farewell], notice: float, grace: float
) -> None:
    """Takes no more work at once and no more calls after the notice; what is under way finishes, not for ever."""
    drains = [asyncio.wait_for(drain(), grace + TIDYING) for drain in service.drain]
    await _all_of(_hang_up(server, farewells, notice, grace), *drains)


async def _hang_up(server: grpc.aio.Server, farewells: Sequence[Farewell], notice: float, grace: float) -> None:
    await asyncio.sleep(notice)
    await _all_of(server.stop(grace - notice), *(farewell() for farewell in farewells))


async def _all_of(*ends: Awaitable[None]) -> None:
    """Waits for all of them; one that fails keeps no other from its end."""
    for outcome in await asyncio.gather(*ends, return_exceptions=True):
        if isinstance(outcome, BaseException):
            log.error("not drained", exc_info=outcome)


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancels what still runs; raises WorkDied if any of it had died."""
    await asyncio.gather(*(end(task, patience=TIDYING) for task in tasks))
    for task in tasks:
        if not task.cancelled() and (error := task.exception()) is not None:
            raise WorkDied("background work died") from error
