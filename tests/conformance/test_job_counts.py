"""How many jobs a user has, on both databases: the truth, and not by counting every one each time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import services.generation
from chassis.database import Database, Row
from services.generation.counts_store import EVER, OLD, WORTH_REMEMBERING, JobCounts
from services.generation.domain import GenerationJob
from services.generation.states import JobStatus
from services.generation.store import JobStore
from tests.builders import NOON, a_failure, a_job

AN_HOUR_AGO = NOON - timedelta(hours=1)
MANY = WORTH_REMEMBERING + 1
FORGED = "UPDATE jobs SET user_id = 'nobody' WHERE user_id = $1 AND created_at <= $2"


@pytest.fixture
def migrations() -> Path:
    return Path(services.generation.__file__).parent / "migrations"


@pytest.fixture
def jobs(database: Database) -> JobStore:
    return JobStore(database)


@pytest.fixture
def counts(database: Database) -> JobCounts:
    return JobCounts(database)


async def old_jobs(jobs: JobStore, *, ended: bool) -> list[GenerationJob]:
    created = [await jobs.create(a_job(created_at=AN_HOUR_AGO)) for _ in range(MANY)]
    for job in created if ended else ():
        await fail(jobs, job)
    return created


async def fail(jobs: JobStore, job: GenerationJob) -> None:
    await jobs.move(job.id, JobStatus.PROCESSING, 0, None, NOON)
    await jobs.move(job.id, JobStatus.FAILED, 0, a_failure(), NOON)


async def lose_the_old(database: Database) -> None:
    """So that whoever counts them again finds none."""
    async with database.transaction() as transaction:
        assert await transaction.execute(FORGED, "ada", int(NOON.timestamp() * 1e6) - 1) == MANY


@pytest.mark.parametrize("status", [None, JobStatus.FAILED])
async def test_old_jobs_are_counted_once_and_new_ones_each_time(
    jobs: JobStore, counts: JobCounts, database: Database, status: JobStatus | None
) -> None:
    await old_jobs(jobs, ended=True)
    first = await counts.count("ada", status, NOON)
    await lose_the_old(database)
    await fail(jobs, await jobs.create(a_job(created_at=NOON)))

    assert (first, await counts.count("ada", status, NOON)) == (MANY, MANY + 1)
    assert await JobCounts(database).count("ada", status, NOON) == 1


class Slow:
    """A database whose every answer takes a while, and that counts how often all of somebody's jobs were counted."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.whole = 0

    async def fetch_one(self, sql: str, *args: Any) -> Row | None:
        self.whole += "COUNT" in sql and args[1:3] == (0, EVER)
        await asyncio.sleep(0.01)
        return await self._database.fetch_one(sql, *args)


async def test_of_many_who_ask_at_once_one_counts_the_old_jobs(jobs: JobStore, database: Database) -> None:
    await old_jobs(jobs, ended=True)
    slow: Any = Slow(database)
    counts = JobCounts(slow)

    found = await asyncio.gather(*(counts.count("ada", None, NOON) for _ in range(8)))

    assert (set(found), slow.whole) == ({MANY}, 1)


async def test_while_an_old_job_may_still_end_the_ended_ones_are_counted_each_time(
    jobs: JobStore, counts: JobCounts
) -> None:
    straggler = await jobs.create(a_job(created_at=AN_HOUR_AGO))
    await old_jobs(jobs, ended=True)
    before = await counts.count("ada", JobStatus.FAILED, NOON)
    await fail(jobs, straggler)

    assert (before, await counts.count("ada", JobStatus.FAILED, NOON)) == (MANY, MANY + 1)


async def test_jobs_under_way_are_counted_each_time(jobs: JobStore, counts: JobCounts) -> None:
    [one, *_] = await old_jobs(jobs, ended=False)
    before = await counts.count("ada", JobStatus.QUEUED, NOON)
    await fail(jobs, one)

    assert (before, await counts.count("ada", JobStatus.QUEUED, NOON)) == (MANY, MANY - 1)


async def test_what_was_new_at_the_first_count_is_counted_on_once_it_is_old(
    jobs: JobStore, counts: JobCounts, database: Database
) -> None:
    await old_jobs(jobs, ended=False)
    await jobs.create(a_job(created_at=NOON))
    seen = [await counts.count("ada", None, NOON)]
    for later in range(3):
        seen.append(await counts.count("ada", None, NOON + (OLD + timedelta(seconds=1)) * later))
    await lose_the_old(database)

    assert seen == [MANY + 1] * 4
    assert await counts.count("ada", None, NOON + OLD * 9) == MANY + 1


async def test_what_is_made_after_the_clock_was_put_back_is_counted(jobs: JobStore, counts: JobCounts) -> None:
    await old_jobs(jobs, ended=True)
    await counts.count("ada", None, NOON + timedelta(hours=1))
    await jobs.create(a_job(created_at=NOON))

    assert [await counts.count("ada", None, NOON + OLD * later) for later in (0, 1, 12)] == [MANY + 1] * 3


async def test_each_user_has_a_count_of_their_own(jobs: JobStore, counts: JobCounts) -> None:
    await old_jobs(jobs, ended=True)
    await jobs.create(a_job("grace"))

    assert [await counts.count(user, None, NOON) for user in ("ada", "ada", "grace", "hedy")] == [MANY, MANY, 1, 0]
