"""How many jobs a user has, without counting each of them each time.

No job is deleted, and one that has ended stays as it is. So what was counted of jobs that are some minutes old, all of
them ended, is true for good and for every process; only what came since is counted again.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from chassis.database import Database
from chassis.remembered import Remembered
from chassis.times import to_micros
from services.generation.states import JobStatus

OLD = timedelta(minutes=5)
"""After so long nobody writes a job with an earlier time: a submission waits seconds, and clocks agree better."""
WORTH_REMEMBERING = 100
"""Jobs; so many are counted in some microseconds."""
REMEMBERED = 10_000
"""Counts; of some hundred bytes each."""
REMEMBERED_FOR = 3600.0
"""Seconds, so that whoever mends the table by hand sees the truth in the end."""

COUNT = "SELECT COUNT(*) AS total FROM jobs WHERE user_id = $1 AND created_at > $2 AND created_at <= $3"
COUNT_WITH_STATUS = f"{COUNT} AND status = $4"
OLD_AND_ACTIVE = """
SELECT 1 AS one FROM jobs WHERE user_id = $1 AND status IN ('queued', 'processing') AND created_at <= $2 LIMIT 1
"""
EVER = 2**62
"""Microseconds since 1970: later than any job."""


@dataclass(frozen=True, slots=True)
class _Known:
    """How many there are from the first one up to some moment, in microseconds since 1970."""

    total: int = 0
    upto: int = 0


class JobCounts:
    """Counts a user's jobs, or those of one status."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = Remembered[_Known](REMEMBERED, clock=time.monotonic)
        self._counting = WeakValueDictionary[str, asyncio.Lock]()

    async def count(self, user_id: str, status: JobStatus | None, now: datetime) -> int:
        """As the table has it now."""
        key = f"{status} {user_id}"
        known = self._known_now(key, now)
        if known is not None:
            return await self._count(key, user_id, status, known, now)
        # One at a time, so that the others find what it learnt: a database that counts half a million jobs for each of
        # them does nothing else for seconds.
        async with self._counting.setdefault(key, asyncio.Lock()):
            return await self._count(key, user_id, status, self._known_now(key, now) or _Known(), now)

    def _known_now(self, key: str, now: datetime) -> _Known | None:
        known = self._known.get(key)
        # Counted by a clock that has gone back since: what is made from now on may be older than that.
        return None if known is None or known.upto > to_micros(now) else known

    async def _count(self, key: str, user_id: str, status: JobStatus | None, known: _Known, now: datetime) -> int:
        newer = await self._between(user_id, status, known.upto, EVER)
        if newer > WORTH_REMEMBERING:
            await self._remember(key, user_id, status, known, to_micros(now - OLD))
        return known.total + newer

    async def _remember(self, key: str, user_id: str, status: JobStatus | None, known: _Known, upto: int) -> None:
        if status is not None and (not status.is_terminal or await self._has_active(user_id, upto)):
            return
        total = known.total + await self._between(user_id, status, known.upto, upto)
        self._known.add(key, _Known(total, upto), until=float("inf"), at_most=REMEMBERED_FOR)

    async def _has_active(self, user_id: str, upto: int) -> bool:
        return await self._database.fetch_one(OLD_AND_ACTIVE, user_id, upto) is not None

    async def _between(self, user_id: str, status: JobStatus | None, after: int, upto: int) -> int:
        if status is None:
            row = await self._database.fetch_one(COUNT, user_id, after, upto)
        else:
            row = await self._database.fetch_one(COUNT_WITH_STATUS, user_id, after, upto, status.value)
        return int(row["total"]) if row else 0
