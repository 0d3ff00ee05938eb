"""Is reading a job still cheap? Measured as CI can: by the processor's time, against the echo's in the same minute.

Absolute times tell machines apart, not revisions, and rates tell what else a machine does. How much of a processor our
gateway and generation service take for one `GET /jobs/{id}`, divided by what the same gateway and a server that does
nothing take, depends on neither. `python -m benchmarks.guard` prints it.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.connection import Connection
from benchmarks.contenders.contender import READER, Contender, Stock
from benchmarks.contenders.echo import echo
from benchmarks.contenders.ours import ours
from benchmarks.measuring import exact_cpu_seconds, tree

MOST = 2.5
"""Times the echo's; on a busy machine it was 1.1 to 1.6 when this was written."""
BLOCKS = 9
REQUESTS = 240
"""In each block, on each side."""
AT_ONCE = 8
NOBODY = "http://127.0.0.1:1"
"""No image API is there, and none is asked: no job goes anywhere."""
STOCK = Stock(jobs=1_000)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two, with connections that are open."""

    apps: Sequence[Connection]
    path: str
    pids: Sequence[int]

    async def cost(self) -> float:
        """Seconds of a processor for one block of requests."""
        began = exact_cpu_seconds(self.pids)
        await asyncio.gather(*(self._ask(app) for app in self.apps))
        return exact_cpu_seconds(self.pids) - began

    async def _ask(self, app: Connection) -> None:
        for _ in range(REQUESTS // AT_ONCE):
            await app.get(self.path)


async def ratio() -> float:
    """What we take for a GET of a job that is not terminal, in GETs of the echo; block by block in turn."""
    async with AsyncExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guard-")))
        nowhere = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="guard-")))
        floor = await stack.enter_async_context(echo("echo", nowhere))
        real = await stack.enter_async_context(ours("ours", place, NOBODY, stock=STOCK))
        sides = [await _side(one, stack) for one in (real, floor)]
        for side in sides:  # connections are made, and what is remembered is learnt
            await side.cost()
        costs = [[await side.cost() for side in sides] for _ in range(BLOCKS)]
    return median(of_ours / of_echo for of_ours, of_echo in costs)


async def _side(contender: Contender, stack: AsyncExitStack) -> Side:
    apps = [await stack.enter_async_context(await contender.user(READER)) for _ in range(AT_ONCE)]
    return Side(apps, f"/api/v1/jobs/{contender.waiting[0]}", tree(contender.pids))


if __name__ == "__main__":
    print(f"GET /jobs/{{id}} costs {asyncio.run(ratio()):.2f} echoes; at most {MOST} are allowed")
