"""One run: a system, players, faults by the plan, and the judgement."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.checks import violations
from tests.chaos.evidence import Evidence, gather_evidence
from tests.chaos.history import History
from tests.chaos.money import Bill, Blow, Call
from tests.chaos.plan import Fault, plan
from tests.chaos.players import Player
from tests.chaos.stage import Stage, staged
from tests.fakes.nano_banana import FakeNanoBanana

PATIENCE = 120.0
"""Seconds after the last fault in which everything that was acknowledged must end."""
SETTLE = 30.0
"""Seconds in which the queue must be empty after that."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much the players ask for."""

    players: int = 6
    every: float = 1.0
    """Seconds between two requests of one player, on average."""
    at_once: int = 8
    """Jobs that one player follows at once."""


@dataclass(slots=True)
class Report:
    """What happened."""

    seed: int
    seconds: float
    slots: int
    faults: Sequence[Fault]
    history: History
    evidence: Evidence
    bill: Bill
    wrong: Sequence[str]
    remarks: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        ended = [story for story in self.history.stories if story.end is not None and story.ended_at is not None]
        took = sorted((story.ended_at or 0) - story.accepted_at for story in ended)
        by_status = Counter(str(story.end and story.end["status"]) for story in self.history.stories)
        by_reason = Counter(str(story.end["error"]["reason"]) for story in ended if story.end and "error" in story.end)
        return [
            f"seed {self.seed}, {self.seconds:g} s, {self.slots} paid calls at once in a process",
            f"faults      {len(self.faults)}: {_counted(Counter(fault.kind.value for fault in self.faults))}",
            f"parts hit   {_counted(Counter(fault.target for fault in self.faults))}",
            f"jobs        {len(self.history.stories)}: {_counted(by_status)}",
            f"failed for  {_counted(by_reason) or 'nothing'}",
            f"items       {len(self.bill.items)}; billed {len(self.bill.calls)}, {self.bill.again} of them again;"
            f" at most {self.bill.at_risk} may be for kills and long pauses + {self.bill.unanswered} for answers lost",
            f"took        p50 {_part(took, 0.5):.2f} s, p99 {_part(took, 0.99):.2f} s, longest {_part(took, 1):.2f} s",
            f"streams     {self.history.streams}; {self.history.replays} requests sent again under their key",
            f"told        {_counted(self.history.troubles) or 'no trouble'}",
            f"swept       {self.evidence.unnamed_renders} renders that a worker died before it could name",
            *(f"WRONG       {wrong}" for wrong in self.wrong[:40]),
            f"{len(self.wrong)} violations" if self.wrong else "nothing lost, nothing twice",
        ]


async def run(
    directory: Path,
    *,
    seed: int,
    seconds: float,
    load: Load,
    say: Callable[[str], None],
    slots: int | None = None,
    cluster: bool = False,
) -> Report:
    """Runs and judges; the directory keeps the logs."""
    slots = slots or random.Random(f"slots {seed}").choice((1, 4))
    history = History()
    async with staged(directory, slots=slots, cluster=cluster, say=say) as stage:
        faults = plan(seed, seconds, stage.parts, cable=stage.cable is not None)
        begin = time.monotonic()

        def clock() -> float:
            return time.monotonic() - begin

        blows = await _play(stage, history, faults, clock, seed=seed, seconds=seconds, load=load, say=say)
        work_left = await _settled(stage)
        dead_letters = await stage.messages("DEAD_LETTERS")
        await stage.rest()
        evidence = await gather_evidence(directory / "data", stage.database_url)
    cost = Bill(_calls(stage.api, begin), {f"{each['job_id']}:{each['item']}" for each in evidence.items}, blows, slots)
    wrong = violations(history, evidence, cost, work_left, dead_letters)
    return Report(seed, seconds, slots, faults, history, evidence, cost, wrong)


def _calls(api: FakeNanoBanana, begin: float) -> list[Call]:
    return [Call(made.idempotency_key, made.at - begin, made.id not in api.unanswered) for made in api.ledger]


async def _play(
    stage: Stage,
    history: History,
    faults: Sequence[Fault],
    clock: Callable[[], float],
    *,
    seed: int,
    seconds: float,
    load: Load,
    say: Callable[[str], None],
) -> list[Blow]:
    blows: list[Blow] = []
    async with AsyncExitStack() as clients:
        players = [
            Player(number, seed, await clients.enter_async_context(stage.client(f"player-{number}")), history, clock)
            for number in range(load.players)
        ]
        playing = asyncio.gather(*(player.play(seconds, load.every, load.at_once) for player in players))
        hurting = asyncio.create_task(_hurt(stage, faults, blows, clock, say))
        try:
            await hurting
            async with asyncio.timeout(PATIENCE):
                await playing
        except TimeoutError:
            say(f"after {PATIENCE:g} s of patience not everything has ended")
        finally:
            hurting.cancel()
            playing.cancel()
            await asyncio.gather(hurting, playing, return_exceptions=True)
    return blows


async def _hurt(
    stage: Stage,
    faults: Sequence[Fault],
    blows: list[Blow],
    clock: Callable[[], float],
    say: Callable[[str], None],
) -> None:
    """One fault after the other, each begun at its time; a part is hurt in one way at a time."""
    busy: dict[str, asyncio.Lock] = {}

    async def hurt(fault: Fault) -> None:
        await asyncio.sleep(max(0.0, fault.at - clock()))
        async with busy.setdefault(fault.target, asyncio.Lock()):
            began = clock()
            say(f"{began:6.1f} s  {fault}")
            await stage.hurt(fault)
            blows.append(Blow(fault, began, clock()))

    async with asyncio.TaskGroup() as hurts:
        for fault in faults:
            hurts.create_task(hurt(fault))


async def _settled(stage: Stage) -> int:
    """Messages that are left when nothing more happens."""
    deadline = time.monotonic() + SETTLE
    while (left := await stage.messages("WORK")) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.2)
    return left


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.most_common())


def _part(sorted_values: Sequence[float], part: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(part * len(sorted_values)))] if sorted_values else 0.0
