"""Health by name, as gateways and orchestrators ask for it over gRPC."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

from chassis.errors import ServiceError
from chassis.patience import describe

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
Check = Callable[[], Awaitable[None]]
"""Raises ServiceError when what it checks cannot serve."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often health is checked, in seconds."""

    every: float = 1.0
    timeout: float = 5.0
    """A check that takes longer has failed."""
    soon: float = 0.05
    """After the first failure, then twice as long after each: what starts or comes back is seen at once."""
    patience: float = 2.0
    """What has never passed so long is told, and so is what is wrong in another way: at a start, much comes late."""


class Health(HealthServicer):
    """Says of each name whether it serves: of none, until a check has passed, and again once we stop.

    grpc's own servicer lets a watch go on until its caller has enough of it, which would hold up every stop.
    """

    def __init__(self, *names: str) -> None:
        self._serves = dict.fromkeys(names, False)
        self._stops = self._is_over = False
        self._changed = asyncio.Condition()

    async def say(self, name: str, *, serves: bool) -> None:
        """From now on, unless we stop."""
        if not self._stops:
            self._serves[name] = serves
            await self._tell()

    async def stop(self) -> None:
        """Nothing serves any more."""
        self._stops = True
        self._serves = dict.fromkeys(self._serves, False)
        await self._tell()

    async def close(self) -> None:
        """Ends every watch."""
        self._is_over = True
        await self._tell()

    async def Check(self, request: HealthCheckRequest, context: Context) -> HealthCheckResponse:
        if request.service not in self._serves:
            await context.abort(grpc.StatusCode.NOT_FOUND)
        return self._answer(request.service)

    async def Watch(self, request: HealthCheckRequest, context: Context) -> None:
        """The state now, then every change; a name we do not know may become known, as the protocol has it."""
        said: HealthCheckResponse | None = None
        while True:
            async with self._changed:
                while self._answer(request.service) == said and not self._is_over:
                    await self._changed.wait()
            if self._answer(request.service) == said:
                return
            said = self._answer(request.service)
            await context.write(said)

    def _answer(self, name: str) -> HealthCheckResponse:
        if name not in self._serves:
            return HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
        serves = self._serves[name]
        return HealthCheckResponse(status=HealthCheckResponse.SERVING if serves else HealthCheckResponse.NOT_SERVING)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


async def publish_health(health: Health, name: str, check: Check, pace: Pace) -> None:
    """Checks for ever, and says under the name how that went."""
    was: str | None = "not checked yet"
    told: str | None = None
    again, since = pace.soon, time.monotonic()
    while True:
        trouble = await _trouble(check, pace.timeout)
        await health.say(name, serves=trouble is None)
        if trouble and trouble != told and (not was or time.monotonic() - since >= pace.patience):
            log.warning("not healthy", extra={"check": name or "serving", "why": trouble})
            told = trouble
        elif was and not trouble:
            log.info("healthy", extra={"check": name or "serving"})
            told = None
        again = min(2 * again, pace.every) if trouble else pace.soon
        was, since = trouble, since if trouble else time.monotonic()
        await asyncio.sleep(again if trouble else pace.every)


async def _trouble(check: Check, timeout: float) -> str | None:
    """What keeps the check from passing."""
    try:
        async with asyncio.timeout(timeout):
            await check()
    except TimeoutError:
        return "timed out"
    except ServiceError as error:
        return describe(error)
    except Exception as error:  # a check that breaks has not passed, and the next may
        log.exception("health check broke")
        return repr(error)
    return None
