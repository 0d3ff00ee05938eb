"""Jobs in the database. The state machine is enforced here as in the domain: a statement moves a job only from a
status that leads where it goes, so of two writers racing one finds nothing to move.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Database, Transaction
from chassis.times import to_micros
from services.generation import failures
from services.generation.counts_store import JobCounts
from services.generation.discards_store import DISCARD_STORED
from services.generation.domain import FailedItem, GenerationJob, IdempotencyKey, NewJob, Usage
from services.generation.idempotency_store import claim, claimed
from services.generation.limits import Limits, Load
from services.generation.limits_store import load_of, lock_user
from services.generation.refusals import JobNotFound
from services.generation.rows import JOB, failure_columns, render_columns, to_item, to_job, to_render
from services.generation.sources_store import take_over_source, to_source
from services.generation.states import (
    Conclusion,
    Failure,
    InvalidStateTransition,
    ItemState,
    JobStatus,
    check_transition,
    conclude,
)
from services.generation.variations import StoredItem

INSERT_JOB = f"""
INSERT INTO jobs (id, user_id, brand_kit_id, asset_type, status, progress, count, custom_prompt, template_version,
                  prompt, has_assets, revision, request_id, start_by, finish_by, created_at, updated_at)
VALUES ($1, $2, $3, $4, 'queued', 0, $5, $6, $7, '', FALSE, 1, $8, $9, $10, $11, $11)
RETURNING {JOB}
"""
# Start-time fair queueing: one user's hundred thousand items delay another's first by one turn.
INSERT_ITEM = """
INSERT INTO items (job_id, item, user_id, state, progress, turn, not_before, dispatch, touched_at, finish_by, seed,
                   render_key, render_sha256, render_content_type, palette_distance)
SELECT CAST($1 AS TEXT), CAST($2 AS INTEGER), CAST($3 AS TEXT), 'waiting', 0,
       1 + CASE WHEN waiting.last > dispatch.clock THEN waiting.last ELSE dispatch.clock END,
       CAST($4 AS BIGINT), 0, CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS BIGINT),
       CAST($7 AS TEXT), CAST($8 AS TEXT), CAST($9 AS TEXT), CAST($10 AS DOUBLE PRECISION)
FROM dispatch, (SELECT COALESCE(MAX(turn), 0) AS last FROM items WHERE user_id = $3 AND state = 'waiting') AS waiting
"""
GET = f"SELECT {JOB} FROM jobs WHERE id = $1"
PAGE = f"SELECT {JOB} FROM jobs WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"
PAGE_WITH_STATUS = f"""
SELECT {JOB} FROM jobs WHERE user_id = $1 AND status = $2 ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4
"""
FAILED_ITEMS = "SELECT * FROM items WHERE job_id = $1 AND state = 'failed' ORDER BY item"
USAGE = """
SELECT
  (SELECT COUNT(*) FROM jobs WHERE user_id = $1 AND created_at >= $2) AS jobs,
  (SELECT COUNT(*) FROM jobs WHERE user_id = $1 AND status IN ('queued', 'processing')) AS active_jobs,
  (SELECT COUNT(*) FROM attempts WHERE user_id = $1 AND state <> 'unpaid' AND started_at >= $2) AS billed_calls
"""
STORED_ITEMS = """
SELECT item, asset_id, palette_distance FROM items WHERE job_id = $1 AND state = 'stored' ORDER BY item
"""

# Whoever changes a job or its items locks the job first, so two items that end at once see each other.
LOCK = f"UPDATE jobs SET revision = revision WHERE id = $1 RETURNING {JOB}"
MOVE = f"""
UPDATE jobs SET status = $3, progress = CASE WHEN progress > $4 THEN progress ELSE $4 END,
       error_reason = $5, error_stage = $6, error_retryable = $7, error_message = $8,
       has_assets = $9, updated_at = $10, completed_at = $11, revision = revision + 1
WHERE id = $1 AND status = $2
RETURNING {JOB}
"""
ADVANCE = """
UPDATE jobs SET progress = CASE WHEN progress > $2 THEN progress ELSE $2 END, has_assets = $3, updated_at = $4,
       revision = revision + 1
WHERE id = $1 AND status = 'processing'
"""
SET_PROMPT = "UPDATE jobs SET prompt = $2 WHERE id = $1 AND prompt = ''"
ITEMS = "SELECT * FROM items WHERE job_id = $1 ORDER BY item"
END_ITEMS = """
UPDATE items SET state = 'failed', error_reason = $2, error_stage = $3, error_retryable = $4, error_message = $5,
       touched_at = $6
WHERE job_id = $1 AND state IN ('waiting', 'dispatched')
"""


class JobStore:
    """The Jobs port over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts = JobCounts(database)

    async def create(self, job: NewJob, key: IdempotencyKey | None = None) -> GenerationJob:
        """Writes the key, the job and its items together: the items are the outbox."""
        async with self._database.transaction() as transaction:
            return await _earlier(transaction, job, key) or await _insert(transaction, job)

    async def create_within(
        self, limits: Limits, job: NewJob, key: IdempotencyKey | None = None
    ) -> tuple[GenerationJob, Load]:
        """Of one user's submissions one at a time is counted and written, so racers never get past a limit."""
        async with self._database.transaction() as transaction:
            earlier = await _earlier(transaction, job, key)
            if earlier is not None:
                return earlier, await load_of(transaction, job.user_id, limits, job.created_at)
            await lock_user(transaction, job.user_id)
            load = await load_of(transaction, job.user_id, limits, job.created_at)
            limits.check(load)
            return await _insert(transaction, job), load.with_one_more()

    async def load(self, user_id: str, limits: Limits, now: datetime) -> Load:
        """Of what is committed."""
        return await load_of(self._database, user_id, limits, now)

    async def created_as(self, key: IdempotencyKey, now: datetime) -> GenerationJob | None:
        """Raises IdempotencyKeyReused."""
        job_id = await claimed(self._database, key, now)
        return None if job_id is None else await self.get(job_id)

    async def get(self, job_id: str) -> GenerationJob:
        """Raises JobNotFound."""
        row = await self._database.fetch_one(GET, job_id)
        if row is None:
            raise JobNotFound(job_id)
        return to_job(row)

    async def page(
        self, user_id: str, status: JobStatus | None, limit: int, offset: int, now: datetime
    ) -> tuple[Sequence[GenerationJob], int]:
        """Newest first, and how many match on all pages."""
        if status is None:
            rows = await self._database.fetch(PAGE, user_id, limit, offset)
        else:
            rows = await self._database.fetch(PAGE_WITH_STATUS, user_id, status.value, limit, offset)
        # A page that is not full, but for its end, tells the total.
        known = len(rows) < limit and (rows or not offset)
        total = offset + len(rows) if known else await self._counts.count(user_id, status, now)
        return [to_job(row) for row in rows], total

    async def failed_items(self, job_id: str) -> Sequence[FailedItem]:
        """In the order of the variations."""
        rows = await self._database.fetch(FAILED_ITEMS, job_id)
        return [FailedItem(row["item"], row["seed"], to_render(row), to_source(row)) for row in rows]

    async def usage(self, user_id: str, since: datetime) -> Usage:
        """Jobs and calls since then; jobs under way whenever they began."""
        row = await self._database.fetch_one(USAGE, user_id, to_micros(since))
        return Usage(row["jobs"], row["active_jobs"], row["billed_calls"]) if row else Usage(0, 0, 0)

    async def stored_items(self, job_id: str) -> Sequence[StoredItem]:
        """In the order of the variations."""
        rows = await self._database.fetch(STORED_ITEMS, job_id)
        return [StoredItem(row["item"], row["asset_id"], row["palette_distance"]) for row in rows]

    async def cancel(self, job_id: str, now: datetime) -> GenerationJob:
        """Raises JobNotFound or InvalidStateTransition."""
        cancelled = failures.failure("CANCELLED")
        async with self._database.transaction() as transaction:
            job = await lock(transaction, job_id)
            if job.status is JobStatus.QUEUED:
                job = await move(transaction, job, Conclusion(JobStatus.PROCESSING, 0), now)
            job = await move(transaction, job, Conclusion(JobStatus.FAILED, 0, cancelled), now)
            await transaction.execute(DISCARD_STORED, job_id)
            await transaction.execute(END_ITEMS, job_id, *failure_columns(cancelled), to_micros(now))
        return job

    async def move(
        self, job_id: str, target: JobStatus, progress: int, failure: Failure | None, now: datetime
    ) -> GenerationJob:
        """Raises JobNotFound or InvalidStateTransition."""
        async with self._database.transaction() as transaction:
            job = await lock(transaction, job_id)
            moved = await move(transaction, job, Conclusion(target, progress, failure), now)
            if target.is_terminal:
                await transaction.execute(
                    END_ITEMS, job_id, *failure_columns(failure or failures.failure("CANCELLED")), to_micros(now)
                )
        return moved


async def _earlier(transaction: Transaction, job: NewJob, key: IdempotencyKey | None) -> GenerationJob | None:
    """The job that the key stands for already; None when it now stands for this one. Raises IdempotencyKeyReused."""
    if key is None:
        return None
    earlier = await claim(transaction, key, job.id, job.created_at)
    return None if earlier == job.id else await lock(transaction, earlier)


async def _insert(transaction: Transaction, job: NewJob) -> GenerationJob:
    created, finish_by = to_micros(job.created_at), to_micros(job.finish_by)
    row = await transaction.fetch_one(
        INSERT_JOB, job.id, job.user_id, job.brand_kit_id, job.asset_type.value, len(job.items),
        job.custom_prompt, job.template_version, job.request_id, to_micros(job.start_by), finish_by, created,
    )  # fmt: skip
    for number, item in enumerate(job.items):
        render = render_columns(item.render)
        await transaction.execute(INSERT_ITEM, job.id, number, job.user_id, created, finish_by, item.seed, *render)
        await take_over_source(transaction, job.id, number, item)
    assert row is not None
    return to_job(row)


async def lock(transaction: Transaction, job_id: str) -> GenerationJob:
    """The job, which until the end of the transaction nobody else can change. Raises JobNotFound."""
    row = await transaction.fetch_one(LOCK, job_id)
    if row is None:
        raise JobNotFound(job_id)
    return to_job(row)


async def move(
    transaction: Transaction, job: GenerationJob, to: Conclusion, now: datetime, *, has_assets: bool = False
) -> GenerationJob:
    """Moves a job one step. Raises InvalidStateTransition."""
    check_transition(job.id, job.status, to.status)
    time = to_micros(now)
    ended = time if to.status.is_terminal else None
    row = await transaction.fetch_one(
        MOVE, job.id, job.status.value, to.status.value, to.progress, *failure_columns(to.failure),
        # A job that failed has none, whatever was stored of it before.
        (job.has_assets or has_assets) and to.status is not JobStatus.FAILED, time, ended,
    )  # fmt: skip
    if row is None:
        raise InvalidStateTransition(job.id, job.status, to.status)
    return to_job(row)


async def settle(transaction: Transaction, job: GenerationJob, now: datetime) -> None:
    """Brings a job to where its items are, through valid transitions only."""
    items = [to_item(row) for row in await transaction.fetch(ITEMS, job.id)]
    conclusion = conclude(items)
    has_assets = any(item.state is ItemState.STORED for item in items)
    if job.status is JobStatus.QUEUED:
        job = await move(transaction, job, Conclusion(JobStatus.PROCESSING, 0), now)
    if conclusion.status.is_terminal:
        await move(transaction, job, conclusion, now, has_assets=has_assets)
    elif conclusion.progress > job.progress or has_assets != job.has_assets:
        await transaction.execute(ADVANCE, job.id, conclusion.progress, has_assets, to_micros(now))
