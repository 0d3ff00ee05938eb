"""Keeps one part alive."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass

from deploy.local.logs import PartLog
from deploy.local.parts import Part, Say
from deploy.local.process import Process


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a part that died has to wait, in seconds."""

    first: float = 0.2
    longest: float = 5.0
    settled: float = 10.0
    """A part that stayed up this long starts again at `first`."""

    def after(self, previous: float | None, uptime: float) -> float:
        """The next wait, given the one before and how long the part then lived."""
        if previous is None or uptime >= self.settled:
            return self.first
        return min(previous * 2, self.longest)


BACKOFF = Backoff()
LOOK_EVERY = 1.0
"""Seconds between two looks at how a part is."""
LOOKS = 2
"""How many in a row must find the same, before a part is stopped for it."""


class Keeper:
    """Starts a part again each time it dies, until it is told to stop."""

    def __init__(self, part: Part, lifeline: int, log: PartLog, say: Say, backoff: Backoff) -> None:
        self.part = part
        self.log = log
        self._lifeline = lifeline
        self._say = say
        self._backoff = backoff
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Of its process, or of the last one while it is down.

        Raises:
            LookupError: it was never started.
        """
        if self._process is None:
            raise LookupError(f"{self.part.name} was not started")
        return self._process.pid

    @property
    def up(self) -> bool:
        """Whether a process of it runs; it may not answer yet."""
        return self._process is not None and self._process.alive

    async def start(self) -> None:
        """Starts the part, unless it is kept already."""
        if self._task is None:
            self._process = await Process.start(self.part, self._lifeline, self.log)
            self._task = asyncio.create_task(self._keep(self._process), name=f"keep {self.part.name}")

    async def stop(self, grace: float) -> None:
        """Stops the part, and lets it be; does nothing when it is not kept."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        if self._process is not None and not await self._process.stop(grace):
            self._say(f"{self.part.name} did not stop in {grace:g} s and was killed")

    def send(self, number: signal.Signals) -> None:
        """Sends the part a signal; does nothing while it is down."""
        if self._process is not None:
            self._process.send(number)

    async def _keep(self, process: Process) -> None:
        clock = asyncio.get_running_loop().time
        wait: float | None = None
        while True:
            born = clock()
            code = await self._end_of(process)
            wait = self._backoff.after(wait, clock() - born)
            self._say(f"{self.part.name} {self._how(code)}; starting it again in {wait:g} s")
            await asyncio.sleep(wait)
            process = self._process = await Process.start(self.part, self._lifeline, self.log)

    async def _end_of(self, process: Process) -> int:
        """Its exit code; brings its end about when only that helps."""
        watch = asyncio.create_task(self._watch(process), name=f"watch {self.part.name}")
        try:
            return await process.wait()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _watch(self, process: Process) -> None:
        found = 0
        while self.part.ailment is not None:
            await asyncio.sleep(LOOK_EVERY)
            # One that is still starting is not well either.
            ailment = await self.part.ailment() if self.part.answers() else None
            found = found + 1 if ailment else 0
            if ailment and found >= LOOKS:
                self._say(f"{self.part.name} {ailment}")
                # As a crash would end it: it must not write down now what it could not keep before.
                process.send(signal.SIGKILL)

    def _how(self, code: int) -> str:
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        last = self.log.last_line()
        return f"ended with exit code {code}" + (f" ({last})" if last else "")
