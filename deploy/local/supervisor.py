"""Runs parts, starts again those that die, and shows what a person must know of their output."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from deploy.local.keeper import BACKOFF, Backoff, Keeper
from deploy.local.logs import PartLog, alarm
from deploy.local.parts import Part, Say, Stages

RELAY_EVERY = 0.2
PATIENCE = 3.0
"""Seconds that later stages wait for an awaited part before they start all the same."""


class Supervisor:
    """Keeps the parts of one system alive until it is stopped."""

    def __init__(
        self,
        stages: Stages,
        *,
        logs: Path,
        say: Say,
        verbose: bool = False,
        backoff: Backoff = BACKOFF,
        grace: float = 10.0,
    ) -> None:
        self._say = say
        self._verbose = verbose
        self._grace = grace
        self._lifeline, hold = os.pipe()
        self._hold: int | None = hold
        self._stages = [
            [Keeper(part, self._lifeline, PartLog(logs / f"{part.name}.log"), say, backoff) for part in stage]
            for stage in stages
        ]
        self._keepers = {keeper.part.name: keeper for stage in self._stages for keeper in stage}
        self._relay: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Starts every part, stage by stage; does not wait for them to answer."""
        self._relay = asyncio.create_task(self._relay_output(), name="relay output")
        for stage in self._stages:
            await asyncio.gather(*(keeper.start() for keeper in stage))
            await self._wait_for(keeper.part for keeper in stage if keeper.part.awaited)

    async def stop(self) -> None:
        """Stops every part, the last stage first; when it returns, no process is left."""
        for stage in reversed(self._stages):
            await asyncio.gather(*(keeper.stop(self._grace) for keeper in stage))
        if self._relay is not None:
            self._relay.cancel()
            await asyncio.gather(self._relay, return_exceptions=True)
            self._relay_once()
        self.abandon()
        os.close(self._lifeline)

    def abandon(self) -> None:
        """Kills everything at once; a `stop` under way then returns soon."""
        if self._hold is not None:
            os.close(self._hold)
            self._hold = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Their names, in the order of their start."""
        return tuple(self._keepers)

    def keeper(self, name: str) -> Keeper:
        """The keeper of a part."""
        return self._keepers[name]

    async def start_part(self, name: str) -> None:
        """Starts a part that was stopped."""
        await self._keepers[name].start()

    async def stop_part(self, name: str) -> None:
        """Stops a part and leaves it stopped."""
        await self._keepers[name].stop(self._grace)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends a part a signal; when it dies of it, it is started again."""
        self._keepers[name].send(number)

    def silent(self) -> list[Keeper]:
        """The keepers of the parts that do not answer."""
        return [keeper for keeper in self._keepers.values() if not (keeper.up and keeper.part.answers())]

    async def _wait_for(self, parts: Iterable[Part]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(_answer(part) for part in parts))

    async def _relay_output(self) -> None:
        while True:
            await asyncio.sleep(RELAY_EVERY)
            self._relay_once()

    def _relay_once(self) -> None:
        for name, keeper in self._keepers.items():
            for line in keeper.log.new_lines():
                shown = line if self._verbose else alarm(line)
                if shown is not None:
                    self._say(f"{name}: {shown}")


async def _answer(part: Part) -> None:
    while True:
        if part.answers():
            return
        await asyncio.sleep(0.01)
