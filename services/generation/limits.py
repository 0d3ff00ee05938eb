"""How much one user may ask for: jobs under way at once, and submissions a minute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.errors import Quota
from services.generation.refusals import TooManyActiveJobs, TooManySubmits

WINDOW = timedelta(minutes=1)
"""A submission counts for so long."""
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Load:
    """What of the limits a user has used up at some moment; what is not limited is not counted."""

    at: datetime
    active_jobs: int = 0
    """Queued or processing."""
    submits: int = 0
    """Within the window, and no more than the limit; what was refused is none."""
    oldest: datetime | None = None
    """When the first of those was submitted: once it has left the window, there is room for one more."""

    def with_one_more(self) -> Load:
        """After another submission at the same moment."""
        return replace(self, active_jobs=self.active_jobs + 1, submits=self.submits + 1, oldest=self.oldest or self.at)

    @property
    def seconds_to_room(self) -> int:
        """Until the oldest submission leaves the window, rounded up: who waits for so long does not come too early."""
        return 0 if self.oldest is None else -((self.at - self.oldest - WINDOW) // _SECOND)


@dataclass(frozen=True, slots=True)
class Limits:
    """The same for every user; 0 is no limit."""

    active_jobs: int = 0
    submits_per_minute: int = 0

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self.active_jobs > 0 or self.submits_per_minute > 0

    def check(self, load: Load) -> None:
        """Raises TooManySubmits or TooManyActiveJobs when there is no room for one more."""
        quota = self.quota(load)
        if quota is not None and quota.remaining == 0:
            raise TooManySubmits(quota)
        if 0 < self.active_jobs <= load.active_jobs:
            raise TooManyActiveJobs(self.active_jobs, quota)

    def quota(self, load: Load) -> Quota | None:
        """What is left of the submissions; None when they are not limited."""
        if self.submits_per_minute == 0:
            return None
        left = max(0, self.submits_per_minute - load.submits)
        return Quota(self.submits_per_minute, left, load.seconds_to_room)
