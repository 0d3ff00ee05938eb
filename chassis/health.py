"""Health by name, as gateways and orchestrators ask for it over gRPC."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from grpc_health.v1._async import HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse

from chassis.errors import ServiceError
from chassis.patience import describe

log = logging.getLogger(__name__)

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


async def health_servicer(*names: str) -> HealthServicer:
    """Answers for these names, and says that none of them serves until a check has passed."""
    servicer = HealthServicer()
    for name in names:
        await servicer.set(name, HealthCheckResponse.NOT_SERVING)
    return servicer


async def publish_health(servicer: HealthServicer, name: str, check: Check, pace: Pace) -> None:
    """Checks for ever, and says under the name how that went."""
    was: str | None = "not checked yet"
    again = pace.soon
    while True:
        trouble = await _trouble(check, pace.timeout)
        await servicer.set(name, HealthCheckResponse.NOT_SERVING if trouble else HealthCheckResponse.SERVING)
        if trouble and not was:
            log.warning("not healthy", extra={"check": name or "serving", "why": trouble})
        elif was and not trouble:
            log.info("healthy", extra={"check": name or "serving"})
        again = min(2 * again, pace.every) if trouble else pace.soon
        was = trouble
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
