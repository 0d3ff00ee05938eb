"""What goes wrong and when: decided by the seed alone, so that a run can be played again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A way to hurt the system."""

    KILL = "kill -9"
    PAUSE = "pause"
    """SIGSTOP, and SIGCONT after so many seconds."""
    RESTART = "restart"
    """SIGTERM, and started again when it has ended."""
    OUTAGE = "outage"
    """Stopped, and started again after so many seconds."""
    CUT = "cut"
    """Every connection to NATS is broken."""
    LOSE = "lose the queue"
    """Every message of the work queue is gone."""
    PROVIDER = "provider"
    """The image API answers one call in a way of its own."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    at: float
    """Seconds after the start."""
    kind: Kind
    target: str
    """A part, or what the image API does."""
    seconds: float = 0.0

    @property
    def ends(self) -> float:
        """Seconds after the start; for those that take no time, when they happen."""
        return self.at + self.seconds

    def __str__(self) -> str:
        lasts = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:6.1f} s  {self.kind} {self.target}{lasts}"


QUIET_BEFORE, QUIET_AFTER = 2.0, 1.0
"""Seconds at the start and at the end of a run in which nothing is begun."""
EVERY = (1.0, 4.5)
"""Seconds between one fault and the next: at least, at most."""
PAUSES = (0.2, 3.0)
LONG_PAUSES = (7.0, 9.0)
"""Longer than a message goes unacknowledged, and longer than the lease of a paid call."""
OUTAGES = (1.0, 4.0)
PROVIDER_FAULTS = ("bills and hangs up", "bills and hangs", "500", "503", "429", "hangs up")

# What a busy week looks like, in an afternoon.
WEIGHTS = {
    Kind.KILL: 30, Kind.PAUSE: 20, Kind.RESTART: 15, Kind.OUTAGE: 8, Kind.CUT: 12, Kind.PROVIDER: 14, Kind.LOSE: 1,
}  # fmt: skip


def plan(seed: int, seconds: float, parts: Sequence[str], *, cable: bool = True) -> list[Fault]:
    """The faults of a run, in order; every part is hit before any is hit again. Without a cable nothing is cut."""
    dice = random.Random(f"faults {seed}")
    weights = {kind: weight for kind, weight in WEIGHTS.items() if cable or kind is not Kind.CUT}
    return list(_faults(dice, seconds, _Turns(dice, parts), weights))


def _faults(dice: random.Random, seconds: float, turns: _Turns, weights: Mapping[Kind, int]) -> Iterator[Fault]:
    at = QUIET_BEFORE
    while at < seconds - QUIET_AFTER:
        kind = dice.choices(list(weights), list(weights.values()))[0]
        match kind:
            case Kind.CUT | Kind.LOSE:
                yield Fault(at, kind, "nats")
            case Kind.PROVIDER:
                yield Fault(at, kind, dice.choice(PROVIDER_FAULTS))
            case Kind.PAUSE:
                yield Fault(at, kind, turns.next(), dice.uniform(*(LONG_PAUSES if dice.random() < 0.2 else PAUSES)))
            case Kind.OUTAGE:
                yield Fault(at, kind, turns.next(), dice.uniform(*OUTAGES))
            case _:
                yield Fault(at, kind, turns.next())
        at += dice.uniform(*EVERY)


class _Turns:
    """Parts in random order, all of them before any comes again."""

    def __init__(self, dice: random.Random, parts: Sequence[str]) -> None:
        self._dice = dice
        self._parts = list(parts)
        self._left: list[str] = []

    def next(self) -> str:
        if not self._left:
            self._left = self._dice.sample(self._parts, len(self._parts))
        return self._left.pop()
