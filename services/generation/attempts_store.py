"""Paid calls in the database: what was sent, what it may have cost, and who may call next."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from chassis.database import Database, Row, Transaction
from chassis.ending import end
from chassis.patience import Trouble, patiently
from chassis.times import from_micros, to_micros
from services.generation.domain import CallUnderWay, PastCall, RenderDeferred, RenderFailed, RenderVoid
from services.generation.failures import failure
from services.generation.sources import PromptSource
from services.generation.sources_store import sources_of

log = logging.getLogger(__name__)

BILLED_AT_MOST = 2
"""Calls of one item that may have been billed; after that nobody asks again."""

TOUCH = "UPDATE items SET touched_at = $3 WHERE job_id = $1 AND item = $2 AND state = 'dispatched' RETURNING user_id"
EXPIRE = """
UPDATE attempts SET state = 'unknown', ended_at = $3
WHERE job_id = $1 AND item = $2 AND state = 'sending' AND lease_until <= $3
"""
CALLS = "SELECT * FROM attempts WHERE job_id = $1 ORDER BY item, n"
ATTEMPTS = "SELECT * FROM attempts WHERE job_id = $1 AND item = $2 ORDER BY n"
OPEN = """
INSERT INTO attempts (job_id, item, n, user_id, model, state, lease_until, started_at, worker)
SELECT CAST($1 AS TEXT), CAST($2 AS INTEGER), CAST($3 AS INTEGER), CAST($4 AS TEXT), CAST($5 AS TEXT), 'sending',
       CAST($6 AS BIGINT), CAST($7 AS BIGINT), CAST($8 AS TEXT)
WHERE NOT EXISTS (SELECT 1 FROM gates WHERE model = $5 AND open_at > $7)
"""
GATE = "SELECT open_at FROM gates WHERE model = $1"
EXTEND = "UPDATE attempts SET lease_until = $4 WHERE job_id = $1 AND item = $2 AND worker = $3"
END = """
UPDATE attempts SET state = $4, ended_at = $5
WHERE job_id = $1 AND item = $2 AND n = $3 AND state IN ('sending', 'unknown')
"""
CLOSE_GATE = """
INSERT INTO gates (model, open_at) VALUES ($1, $2)
ON CONFLICT (model) DO UPDATE SET open_at = CASE
  WHEN gates.open_at > excluded.open_at THEN gates.open_at ELSE excluded.open_at END
"""


@dataclass(slots=True)
class _Attempt:
    number: int
    state: str = "unknown"

    def unpaid(self) -> None:
        self.state = "unpaid"

    def paid(self) -> None:
        self.state = "paid"


class AttemptStore:
    """The PastCalls port: what was called for a job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def calls_of(self, job_id: str) -> Sequence[PastCall]:
        """By item, then in order."""
        rows = await self._database.fetch(CALLS, job_id)
        return [
            PastCall(
                item=row["item"],
                number=row["n"],
                model=row["model"],
                state=row["state"],
                started_at=from_micros(row["started_at"]),
                ended_at=None if row["ended_at"] is None else from_micros(row["ended_at"]),
            )
            for row in rows
        ]

    async def sources_of(self, job_id: str) -> dict[int, PromptSource]:
        """By item."""
        return await sources_of(self._database, job_id)


@asynccontextmanager
async def item_calls(
    database: Database, job_id: str, item: int, model: str, *, lease: timedelta, clock: Callable[[], datetime]
) -> AsyncIterator[ItemCalls]:
    """The paid calls of one delivery of an item; their leases live on until the block ends, or the worker dies.

    The block reaches to where the picture is kept: a call that was served protects nobody from another call before.
    """
    calls = ItemCalls(database, job_id, item, model, lease=lease, clock=clock)
    alive = asyncio.create_task(calls.keep_alive())
    try:
        yield calls
    finally:
        await end(alive, patience=0.5)
        if not alive.cancelled():
            alive.result()


class ItemCalls:
    """The PaidCalls port for one item and one model."""

    def __init__(
        self,
        database: Database,
        job_id: str,
        item: int,
        model: str,
        *,
        lease: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        """`lease` is how long an attempt keeps others away without a sign of life."""
        self._database = database
        self._key = (job_id, item)
        self._model = model
        self._lease = lease
        self._clock = clock
        self._worker = str(uuid.uuid4())

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[_Attempt]:
        """Written down before the block begins."""
        attempt = _Attempt(await self._open())
        try:
            yield attempt
        finally:
            # Shielded: a call that was served must be remembered as paid also when its worker is being stopped.
            await asyncio.shield(self._end(attempt))

    async def close_gate(self, seconds: float) -> None:
        """The longest request to wait wins."""
        open_at = to_micros(self._clock() + timedelta(seconds=seconds))
        await self._database.execute(CLOSE_GATE, self._model, open_at)
        log.warning("the gate is closed", extra={"model": self._model, "seconds": round(seconds, 1)})

    async def _open(self) -> int:
        now = to_micros(self._clock())
        async with self._database.transaction() as transaction:
            # Locks the item: of two workers with the same item one goes first.
            item = await transaction.fetch_one(TOUCH, *self._key, now)
            if item is None:
                raise RenderVoid
            await transaction.execute(EXPIRE, *self._key, now)
            past = await transaction.fetch(ATTEMPTS, *self._key)
            _refuse_unless_free(past, self._worker, now)
            number = len(past) + 1
            lease = now + self._lease // timedelta(microseconds=1)
            opened = await transaction.execute(
                OPEN, *self._key, number, item["user_id"], self._model, lease, now, self._worker
            )
            if not opened:
                await self._wait_for_gate(transaction, now)
        return number

    async def _wait_for_gate(self, transaction: Transaction, now: int) -> None:
        gate = await transaction.fetch_one(GATE, self._model)
        raise RenderDeferred(((gate["open_at"] if gate else now) - now) / 1e6, "the gate is closed")

    async def keep_alive(self) -> None:
        """Gives signs of life through the database; ends only by cancellation."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            await patiently(self._beat, Trouble(log, "no sign of life given", {"job_id": self._key[0]}))

    async def _beat(self) -> None:
        now = self._clock()
        await self._database.execute(EXTEND, *self._key, self._worker, to_micros(now + self._lease))
        await self._database.execute(TOUCH, *self._key, to_micros(now))

    async def _end(self, attempt: _Attempt) -> None:
        """For as long as it takes: a call that was served and is not remembered costs another one."""
        ended_at = to_micros(self._clock())
        await patiently(
            lambda: self._database.execute(END, *self._key, attempt.number, attempt.state, ended_at),
            Trouble(log, "remembering a call", {"job_id": self._key[0]}),
        )


def _refuse_unless_free(past: list[Row], worker: str, now: int) -> None:
    others = [attempt for attempt in past if attempt["worker"] != worker and attempt["state"] != "unpaid"]
    busy_until = max((attempt["lease_until"] for attempt in others), default=0)
    if busy_until > now:
        raise CallUnderWay((busy_until - now) / 1e6, "another worker may be at it")
    if sum(attempt["state"] in ("paid", "unknown") for attempt in past) >= BILLED_AT_MOST:
        raise RenderFailed(failure("OUTCOME_UNKNOWN"))
