"""What the players were told, in the order in which they heard it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
TERMINAL = ("completed", "failed", "partial")


@dataclass(frozen=True, slots=True)
class Sighting:
    """How a job stood when somebody looked."""

    source: str
    """`poll` or `stream`."""
    status: str
    progress: int
    revision: int | None
    """Only streams tell it."""


@dataclass(slots=True)
class Story:
    """One job that was acknowledged, and everything heard of it since: one listener, so it is one order."""

    user: str
    job: Json
    """As it was acknowledged."""
    accepted_at: float
    """Seconds after the start, as all times here."""
    cancel_asked: bool = False
    sightings: list[Sighting] = field(default_factory=list)
    ended_at: float | None = None
    end: Json | None = None
    """As it stood when it had ended."""
    ended_by_event: bool = False

    @property
    def id(self) -> str:
        return str(self.job["id"])

    @property
    def count(self) -> int:
        return int(self.job["count"])

    def see(self, source: str, job: Json, revision: int | None, at: float) -> None:
        """Remembers how it stood."""
        self.sightings.append(Sighting(source, job["status"], job["progress"], revision))
        if job["status"] in TERMINAL and self.end is None:
            self.end, self.ended_at = job, at
            self.ended_by_event = source == "stream"


@dataclass(slots=True)
class History:
    """All of it."""

    stories: list[Story] = field(default_factory=list)
    troubles: Counter[str] = field(default_factory=Counter)
    """What players were told instead of an answer, by kind: what a client may repeat."""
    surprises: list[str] = field(default_factory=list)
    """What no client should ever be told."""
    unheard_retries: int = 0
    """`:retry` calls whose answer was lost: each may have made a job that nobody knows."""
    replays: int = 0
    """Requests that were sent again under their key after they had been acknowledged."""
    streams: int = 0
    """Streams that were opened."""
