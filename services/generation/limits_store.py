"""What of the limits a user has used up, in the database: counted in the transaction that adds a job to it."""

from __future__ import annotations

from datetime import datetime

from chassis.database import Database, Transaction
from chassis.times import from_micros, to_micros
from services.generation.limits import WINDOW, Limits, Load

# Taken after an idempotency key and before new rows only, so nobody waits for anything while holding it.
LOCK_USER = """
INSERT INTO submitters (user_id) VALUES ($1) ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id
"""
# One range each of two indexes, as long as its limit at most, however many jobs the user has had. What is not limited
# is not read at all: its condition, or its LIMIT, is over before the first row.
LOAD = """
SELECT active.jobs AS active_jobs, recent.jobs AS submits, recent.oldest AS oldest
FROM (SELECT COUNT(*) AS jobs FROM jobs WHERE user_id = $1 AND status IN ('queued', 'processing')
        AND CAST($4 AS BIGINT) > 0) AS active,
     (SELECT COUNT(*) AS jobs, MIN(created_at) AS oldest FROM (
        SELECT created_at FROM jobs WHERE user_id = $1 AND created_at > $2 ORDER BY created_at DESC LIMIT $3
      ) AS newest) AS recent
"""


async def lock_user(transaction: Transaction, user_id: str) -> None:
    """Until the end of the transaction no other submission of this user gets past this."""
    await transaction.execute(LOCK_USER, user_id)


async def load_of(database: Database | Transaction, user_id: str, limits: Limits, now: datetime) -> Load:
    """Of the submissions only the newest that fill the limit count: it may have been higher a moment ago."""
    since = to_micros(now - WINDOW)
    row = await database.fetch_one(LOAD, user_id, since, limits.submits_per_minute, limits.active_jobs)
    assert row is not None
    oldest = None if row["oldest"] is None else from_micros(row["oldest"])
    return Load(now, row["active_jobs"], row["submits"], oldest)
