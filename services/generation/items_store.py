"""Items in the database: what a worker does to one, and what the dispatcher does to many."""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import datetime

from chassis.database import Database, Row, Transaction, Value
from chassis.times import from_micros, to_micros
from services.generation.discards_store import DISCARD_LATE
from services.generation.domain import AssetType, Dispatch, GenerationJob, Render, Sending, Started
from services.generation.refusals import ItemNotFound
from services.generation.rows import failure_columns, render_columns, to_failure, to_render
from services.generation.sources import PromptSource
from services.generation.sources_store import source_columns
from services.generation.states import Failure, ItemStanding, ItemState
from services.generation.store import SET_PROMPT, lock, settle

STARTED = 20
"""Per cent of an item that is done when its picture is about to be made."""
RENDERED = 70
"""Per cent of an item that is done when its picture is made and not yet stored."""

START = """
UPDATE items SET progress = CASE WHEN progress > $4 THEN progress ELSE $4 END, touched_at = $5, sent = TRUE,
       template_version = CASE WHEN render_key IS NULL THEN $6 ELSE template_version END,
       template_hash = CASE WHEN render_key IS NULL THEN $7 ELSE template_hash END
WHERE job_id = $1 AND item = $2 AND dispatch = $3 AND state = 'dispatched'
RETURNING seed, render_key, render_sha256, render_content_type, palette_distance
"""
SET_RENDER = """
UPDATE items SET render_key = $3, render_sha256 = $4, render_content_type = $5, palette_distance = $6, progress = $7,
       template_version = $8, template_hash = $9, touched_at = $10
WHERE job_id = $1 AND item = $2 AND state IN ('waiting', 'dispatched') AND render_key IS NULL
"""
STANDING = "SELECT * FROM items WHERE job_id = $1 AND item = $2"
GET_RENDER = """
SELECT render_key, render_sha256, render_content_type, palette_distance FROM items WHERE job_id = $1 AND item = $2
"""
NAMED_RENDERS = """
SELECT render_key FROM items WHERE job_id IN ({places}) AND state <> 'stored' AND render_key IS NOT NULL
"""
NAMES_AT_ONCE = 500
DEFER = """
UPDATE items SET state = 'waiting', not_before = $4, deferred_reason = $5
WHERE job_id = $1 AND item = $2 AND dispatch = $3 AND state = 'dispatched'
"""
SET_STORED = """
UPDATE items SET state = 'stored', asset_id = $3, progress = 100, touched_at = $4
WHERE job_id = $1 AND item = $2 AND state IN ('waiting', 'dispatched')
"""
SET_FAILED = """
UPDATE items SET state = 'failed', error_reason = $3, error_stage = $4, error_retryable = $5, error_message = $6,
       touched_at = $8
WHERE job_id = $1 AND item = $2 AND state IN ('waiting', 'dispatched')
  AND (CAST($7 AS INTEGER) IS NULL OR dispatch = $7)
"""

# Whoever changes many items locks this row first: one dispatcher at a time, and no two wait for each other.
LOCK_DISPATCH = "UPDATE dispatch SET clock = clock WHERE one = 1"
COUNT_DISPATCHED = "SELECT COUNT(*) AS dispatched FROM items WHERE state = 'dispatched'"
TAKE = """
UPDATE items SET state = 'dispatched', dispatch = dispatch + 1, sent = FALSE, touched_at = $2
WHERE (job_id, item) IN (
  SELECT job_id, item FROM items WHERE state = 'waiting' AND not_before <= $2 ORDER BY turn, job_id, item LIMIT $1)
RETURNING job_id, item, dispatch, turn, render_key, render_sha256, render_content_type, palette_distance
"""
SET_CLOCK = "UPDATE dispatch SET clock = $1 WHERE one = 1 AND clock < $1"
GIVE_BACK = """
UPDATE items SET state = 'waiting' WHERE job_id = $1 AND item = $2 AND dispatch = $3 AND state = 'dispatched'
"""
SET_SENT = "UPDATE items SET sent = TRUE WHERE job_id = $1 AND item = $2 AND dispatch = $3"
HEARD_OF = """
UPDATE items SET sent = TRUE, touched_at = $4
WHERE job_id = $1 AND item = $2 AND dispatch = $3 AND state = 'dispatched'
"""
SILENT = """
SELECT job_id, item, dispatch FROM items
WHERE state = 'dispatched' AND (touched_at < $1 OR (sent = FALSE AND touched_at < $2))
"""
# Two ranges of two indexes, each no longer than what is asked for, however many wait and however many are late.
OVERDUE = """
SELECT job_id, item, reason FROM (
  SELECT * FROM (
    SELECT job_id, item, CASE WHEN state = 'dispatched' AND render_key IS NOT NULL THEN 'STORAGE_ERROR'
             ELSE COALESCE(deferred_reason, 'DEADLINE_EXCEEDED') END AS reason, finish_by
    FROM items WHERE state IN ('waiting', 'dispatched') AND finish_by <= $1 ORDER BY finish_by LIMIT $2
  ) AS late
  UNION
  SELECT * FROM (
    SELECT items.job_id, items.item, COALESCE(items.deferred_reason, 'DEADLINE_EXCEEDED') AS reason, items.finish_by
    FROM jobs JOIN items ON items.job_id = jobs.id
    WHERE jobs.status = 'queued' AND jobs.start_by <= $1 AND items.state = 'waiting' ORDER BY jobs.start_by LIMIT $2
  ) AS not_begun
) AS overdue ORDER BY finish_by LIMIT $2
"""


class ItemStore:
    """The Items and Outbox ports over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def standing(self, job_id: str, item: int) -> ItemStanding:
        """Raises JobNotFound."""
        row = await self._database.fetch_one(STANDING, job_id, item)
        if row is None:
            raise ItemNotFound(job_id, item)
        return ItemStanding(ItemState(row["state"]), row["dispatch"], to_failure(row))

    async def start(
        self, job_id: str, item: int, dispatch: int, prompt: str, now: datetime, source: PromptSource | None = None
    ) -> Started | None:
        """None when this delivery is void."""
        async with self._database.transaction() as transaction:
            job = await _lock(transaction, job_id, item)
            row = await transaction.fetch_one(
                START, job_id, item, dispatch, STARTED, to_micros(now), *source_columns(source)
            )
            if row is None or job.status.is_terminal:
                return None
            await transaction.execute(SET_PROMPT, job_id, prompt)
            await settle(transaction, job, now)
        return Started(row["seed"], to_render(row))

    async def rendered(
        self, job_id: str, item: int, render: Render, now: datetime, source: PromptSource | None = None
    ) -> Render | None:
        """Of two renders the first counts: it may be on its way to storage already."""
        columns = (*render_columns(render), RENDERED, *source_columns(source))
        if await self._change(SET_RENDER, job_id, item, *columns, now=now):
            return render
        row = await self._database.fetch_one(GET_RENDER + " AND state IN ('waiting', 'dispatched')", job_id, item)
        return to_render(row) if row else None

    async def spent_render(self, job_id: str, item: int) -> Render | None:
        """Of an item that is stored."""
        row = await self._database.fetch_one(GET_RENDER + " AND state = 'stored'", job_id, item)
        return to_render(row) if row else None

    async def needed_renders(self, keys: Sequence[str]) -> Set[str]:
        """By the job that each key begins with, which is what the table is in order of."""
        needed: set[str] = set()
        for start in range(0, len(keys), NAMES_AT_ONCE):
            jobs = {key.split(".")[0] for key in keys[start : start + NAMES_AT_ONCE]}
            rows = await self._database.fetch(NAMED_RENDERS.format(places=_places(len(jobs))), *jobs)
            needed |= {row["render_key"] for row in rows}
        return needed & set(keys)

    async def defer(self, job_id: str, item: int, dispatch: int, until: datetime, reason: str | None) -> None:
        """Unless it moved on."""
        await self._database.execute(DEFER, job_id, item, dispatch, to_micros(until), reason)

    async def stored(self, job_id: str, item: int, asset_id: str, now: datetime) -> bool:
        """False when the item had ended before."""
        async with self._database.transaction() as transaction:
            job = await _lock(transaction, job_id, item)
            stored = await transaction.execute(SET_STORED, job_id, item, asset_id, to_micros(now))
            if stored:
                await settle(transaction, job, now)
            else:
                await transaction.execute(DISCARD_LATE, job_id, item, asset_id)
        return bool(stored)

    async def failed(
        self, job_id: str, item: int, failure: Failure, now: datetime, *, dispatch: int | None = None
    ) -> bool:
        """False when the item had ended before, or was sent again since."""
        return await self._change(SET_FAILED, job_id, item, *failure_columns(failure), dispatch, now=now)

    async def _change(self, sql: str, job_id: str, item: int, *values: Value, now: datetime) -> bool:
        async with self._database.transaction() as transaction:
            job = await _lock(transaction, job_id, item)
            changed = await transaction.execute(sql, job_id, item, *values, to_micros(now))
            if changed and not job.status.is_terminal:
                await settle(transaction, job, now)
        return bool(changed)

    async def take(self, window: int, now: datetime) -> Sequence[Dispatch]:
        """One transaction; the `dispatch` row lets one dispatcher in at a time, so racers never overshoot."""
        async with self._database.transaction() as transaction:
            await transaction.execute(LOCK_DISPATCH)
            count = await transaction.fetch_one(COUNT_DISPATCHED)
            free = window - (count["dispatched"] if count else 0)
            if free <= 0:
                return []
            taken = await transaction.fetch(TAKE, free, to_micros(now))
            if not taken:
                return []
            await transaction.execute(SET_CLOCK, max(row["turn"] for row in taken))
            jobs = await _jobs_of(transaction, {row["job_id"] for row in taken})
        ordered = sorted(taken, key=lambda row: (row["turn"], row["job_id"], row["item"]))
        return [_to_dispatch(row, jobs[row["job_id"]]) for row in ordered]

    async def give_back(self, sendings: Sequence[Sending]) -> None:
        """Unless they have moved on."""
        await self._change_each(GIVE_BACK, sendings)

    async def sent(self, sendings: Sequence[Sending]) -> None:
        """Their messages are in the queue."""
        await self._change_each(SET_SENT, sendings)

    async def silent(self, since: datetime, unsent_since: datetime) -> Sequence[Sending]:
        """In no order."""
        rows = await self._database.fetch(SILENT, to_micros(since), to_micros(unsent_since))
        return [Sending(row["job_id"], row["item"], row["dispatch"]) for row in rows]

    async def heard_of(self, sendings: Sequence[Sending], now: datetime) -> None:
        """Their messages were seen in the queue."""
        await self._change_each(HEARD_OF, sendings, to_micros(now))

    async def overdue(self, now: datetime, limit: int) -> Sequence[tuple[str, int, str]]:
        """The longest overdue first."""
        rows = await self._database.fetch(OVERDUE, to_micros(now), limit)
        return [(row["job_id"], row["item"], row["reason"]) for row in rows]

    async def _change_each(self, sql: str, sendings: Sequence[Sending], *values: int) -> None:
        async with self._database.transaction() as transaction:
            await transaction.execute(LOCK_DISPATCH)
            for each in sendings:
                await transaction.execute(sql, each.job_id, each.item, each.dispatch, *values)


async def _lock(transaction: Transaction, job_id: str, item: int) -> GenerationJob:
    job = await lock(transaction, job_id)
    if not 0 <= item < job.count:
        raise ItemNotFound(job_id, item)
    return job


async def _jobs_of(transaction: Transaction, ids: set[str]) -> dict[str, Row]:
    rows = await transaction.fetch(f"SELECT * FROM jobs WHERE id IN ({_places(len(ids))})", *ids)
    return {row["id"]: row for row in rows}


def _places(count: int) -> str:
    return ", ".join(f"${number}" for number in range(1, count + 1))


def _to_dispatch(item: Row, job: Row) -> Dispatch:
    return Dispatch(
        job_id=item["job_id"],
        item=item["item"],
        dispatch=item["dispatch"],
        user_id=job["user_id"],
        brand_kit_id=job["brand_kit_id"],
        asset_type=AssetType(job["asset_type"]),
        custom_prompt=job["custom_prompt"],
        template_version=job["template_version"],
        request_id=job["request_id"],
        finish_by=from_micros(job["finish_by"]),
        render=to_render(item),
    )
