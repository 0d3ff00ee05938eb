"""What every contender looks like to a workload: the same REST API at an address, and processes that cost something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.connection import Connection

READER = "reader"
"""The user who has jobs from the start."""
OWN = 10_000
"""How many of them the reader has at most; the rest is half a hoarder's and half of many others."""
HOARDER = "hoarder"
OTHERS = 1_000
WAITING = 100
"""Of the reader's newest jobs, those that wait for their turn, which does not come; the others are completed."""
BRAND_KIT = {
    "name": "Gaming Stream Kit",
    "primary_colors": ["#ff0055", "#1A0B2E"],
    "accent_colors": ["#00e5ff"],
    "fonts": {"headline": "Montserrat", "body": "Inter"},
    "tone": "competitive",
}


@dataclass(frozen=True, slots=True)
class Stock:
    """What is in a contender's database when it starts."""

    jobs: int = OWN
    queue: int = 0
    """Jobs of others that are ready to go, beside those."""
    kits: int = 0


@dataclass(frozen=True, slots=True)
class Contender:
    """One that runs, alone."""

    name: str
    url: str
    token: Callable[[str], str]
    """An access token of a user."""
    pids: Sequence[int]
    """Its processes; what these have started is its own, too."""
    started_in: float
    """Seconds until it answered."""
    waiting: Sequence[str] = field(default_factory=list)
    """Ids of the reader's jobs that are not terminal, and stay so."""
    completed: Sequence[str] = field(default_factory=list)

    kit: str | None = None
    """Everybody's, where there is no making one."""

    async def user(self, user_id: str) -> Connection:
        """An app that a user is signed in to."""
        return await Connection.open(self.url, self.token(user_id))

    async def kit_of(self, user_id: str) -> str:
        """A new brand kit; its id."""
        if self.kit is not None:
            return self.kit
        async with await self.user(user_id) as app:
            return str((await app.post("/api/v1/brand-kits", BRAND_KIT))["id"])


def job_id(number: int) -> str:
    """Of the stock's job with that number: in no order, as ids are."""
    return f"{number * 7919 % 99999989:08d}-0000-4000-8000-{number:012d}"


def stocked(jobs: int, sample: int = WAITING) -> tuple[list[str], list[str]]:
    """Ids of the reader's jobs: some that wait, and some that are completed."""
    own = min(jobs, OWN)
    completed = [job_id(number) for number in range(0, own - WAITING, max(1, (own - WAITING) // sample))]
    return [job_id(number) for number in range(own - WAITING, own)], completed[:sample]
