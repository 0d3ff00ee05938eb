"""Idempotency keys in the database: claimed in the transaction that creates their job."""

from __future__ import annotations

from datetime import datetime, timedelta

from chassis.database import Database, Transaction
from chassis.times import to_micros
from services.generation.domain import OPERATORS, IdempotencyKey
from services.generation.refusals import IdempotencyKeyReused

KEPT = timedelta(hours=24)
"""How long a key is remembered."""
OPERATORS_KEPT = timedelta(days=60)
"""The same for operators' keys: for longer than there is a dead letter to ask for the same with."""

FORGET = "DELETE FROM idempotency_keys WHERE user_id = $1 AND key = $2 AND created_at < $3"
FORGET_ALL = """
DELETE FROM idempotency_keys WHERE created_at < $1 AND (created_at < $2 OR key NOT LIKE CAST($3 AS TEXT))
"""
CLAIM = """
INSERT INTO idempotency_keys (user_id, key, request_sha256, job_id, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (user_id, key) DO NOTHING
"""
CLAIMED = """
SELECT job_id, request_sha256 FROM idempotency_keys WHERE user_id = $1 AND key = $2 AND created_at >= $3
"""


async def claim(transaction: Transaction, key: IdempotencyKey, job_id: str, now: datetime) -> str:
    """The job that the key stands for: this one, or the one it was claimed for before.

    Of two requests racing the second waits here for the first. Raises IdempotencyKeyReused.
    """
    await transaction.execute(FORGET, key.user_id, key.key, to_micros(now - _kept(key)))
    if await transaction.execute(CLAIM, key.user_id, key.key, key.request_sha256, job_id, to_micros(now)):
        return job_id
    return await claimed(transaction, key, now) or job_id


async def claimed(database: Database | Transaction, key: IdempotencyKey, now: datetime) -> str | None:
    """The job that the key was claimed for. Raises IdempotencyKeyReused."""
    row = await database.fetch_one(CLAIMED, key.user_id, key.key, to_micros(now - _kept(key)))
    if row is None:
        return None
    if row["request_sha256"] != key.request_sha256:
        raise IdempotencyKeyReused
    return str(row["job_id"])


async def forget_old_keys(database: Database, now: datetime) -> int:
    """How many were forgotten."""
    return await database.execute(FORGET_ALL, to_micros(now - KEPT), to_micros(now - OPERATORS_KEPT), f"{OPERATORS}%")


def _kept(key: IdempotencyKey) -> timedelta:
    return OPERATORS_KEPT if key.key.startswith(OPERATORS) else KEPT
