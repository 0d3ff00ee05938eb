"""Idempotency keys when the database fails in between: what was not accepted is not remembered."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import services.generation
from chassis.database import Database, migrate, open_database
from chassis.errors import Unavailable
from services.generation.domain import GenerationJob, IdempotencyKey
from services.generation.limits import Limits
from services.generation.store import JobStore
from tests.builders import NOON, a_job

MIGRATIONS = Path(services.generation.__file__).parent / "migrations"
TAP = IdempotencyKey("ada", "tap", "0" * 64)
FEW = Limits(5, 5)


async def submit(database: Database, limits: Limits) -> GenerationJob:
    jobs = JobStore(database)
    return (await jobs.create_within(limits, a_job(), TAP))[0] if limits else await jobs.create(a_job(), TAP)


async def makes_one_job(database: Database, limits: Limits) -> bool:
    """Whether the key is still free, and then stands for the job it made."""
    before = await JobStore(database).created_as(TAP, NOON)
    first, again = await submit(database, limits), await submit(database, limits)
    return before is None and first == again and (await JobStore(database).usage("ada", NOON)).jobs == 1


@pytest.mark.parametrize("limits", [Limits(), FEW])
async def test_a_submission_that_the_database_had_no_time_for_leaves_its_key_free(
    tmp_path: Path, limits: Limits
) -> None:
    path = tmp_path / "generation.db"
    database = await open_database(f"sqlite://{path}", schema="generation")
    await migrate(database, MIGRATIONS)
    shell = sqlite3.connect(path, isolation_level=None)

    shell.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        await submit(database, limits)
    shell.execute("ROLLBACK")

    assert await makes_one_job(database, limits)
    shell.close()
    await database.close()


@pytest.mark.parametrize("limits", [Limits(), FEW])
async def test_a_submission_that_broke_off_after_its_key_was_written_leaves_it_free(
    postgres_url: str, schema: str, limits: Limits
) -> None:
    database = await open_database(postgres_url, schema=schema, statement_timeout=0.5)
    other = await open_database(postgres_url, schema=schema)
    await migrate(database, MIGRATIONS)

    async with other.transaction() as transaction:
        await transaction.execute("LOCK TABLE items IN EXCLUSIVE MODE")
        with pytest.raises(Unavailable):
            await submit(database, limits)

    assert await makes_one_job(other, limits)
    await database.close()
    await other.close()
