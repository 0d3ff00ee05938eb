"""Time as a provider meets it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from chassis import times


@dataclass(frozen=True, slots=True)
class Timing:
    """Where waits and the time come from; tests bring a time of their own, in which nobody waits."""

    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    """Seconds added to each wait, so that workers do not come back all at once."""
    now: Callable[[], datetime] = times.now
    monotonic: Callable[[], float] = time.monotonic

    async def pause(self, rung: float, hint: float) -> None:
        """Waits as long as the ladder says, or as long as we were asked to when that is longer."""
        await self.sleep(max(rung, hint) + self.jitter())


REAL_TIME = Timing()
