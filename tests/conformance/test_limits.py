"""Limits on what one user may ask for, on both databases: exact under races, and cheap for who has a long past."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.database import Database, migrate, open_database
from chassis.times import to_micros
from services.generation.domain import GenerationJob, IdempotencyKey
from services.generation.limits import Limits, Load
from services.generation.limits_store import LOAD, lock_user
from services.generation.refusals import TooManyActiveJobs, TooManySubmits
from services.generation.states import JobStatus
from services.generation.store import JobStore
from tests.builders import NOON, a_failure, a_job

LATER = NOON + timedelta(seconds=1)
THREE_A_MINUTE = Limits(submits_per_minute=3)
TWO_AT_ONCE = Limits(active_jobs=2)
TABLES = ("jobs", "items", "idempotency_keys", "submitters")
# Jobs of one user that ended an hour ago and before.
PAST = """
WITH RECURSIVE past (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM past WHERE n < CAST($1 AS BIGINT))
INSERT INTO jobs (id, user_id, brand_kit_id, asset_type, status, progress, count, custom_prompt, template_version,
                  prompt, has_assets, revision, request_id, start_by, finish_by, created_at, updated_at, completed_at)
SELECT 'past-' || n, 'ada', '', 'banner', 'completed', 100, 1, '', '', '', TRUE, 1, '', 0, 0,
       CAST($2 AS BIGINT) - n, CAST($2 AS BIGINT), CAST($2 AS BIGINT)
FROM past
"""


@pytest.fixture
def migrations() -> Path:
    return Path(services.generation.__file__).parent / "migrations"


@pytest.fixture
def jobs(database: Database) -> JobStore:
    return JobStore(database)


def a_key(key: str = "tap") -> IdempotencyKey:
    return IdempotencyKey("ada", key, "0" * 64)


def seconds(number: float) -> datetime:
    return NOON + timedelta(seconds=number)


async def rows(database: Database) -> dict[str, int]:
    """How many each table has that a submission may write to."""
    counted = {table: await database.fetch_one(f"SELECT COUNT(*) AS total FROM {table}") for table in TABLES}
    return {table: row["total"] if row else 0 for table, row in counted.items()}


async def test_racing_submissions_fill_the_minute_exactly_and_each_knows_what_is_left(jobs: JobStore) -> None:
    outcomes = await asyncio.gather(
        *(jobs.create_within(THREE_A_MINUTE, a_job(user)) for _ in range(20) for user in ("ada", "grace")),
        return_exceptions=True,
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert {type(error) for error in refused} == {TooManySubmits} and len(refused) == 34
    for user in ("ada", "grace"):
        created = [outcome for outcome in outcomes if isinstance(outcome, tuple) and outcome[0].user_id == user]
        assert sorted(load.submits for _, load in created) == [1, 2, 3]
        assert (await jobs.page(user, None, 20, 0, NOON))[1] == 3


async def test_racing_submissions_never_have_more_under_way_than_they_may(jobs: JobStore) -> None:
    outcomes = await asyncio.gather(
        *(jobs.create_within(TWO_AT_ONCE, a_job()) for _ in range(20)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes].count(TooManyActiveJobs) == 18
    assert (await jobs.usage("ada", NOON)).active_jobs == 2


async def test_a_place_in_the_minute_is_free_again_when_its_submission_is_a_minute_old(jobs: JobStore) -> None:
    for at in (0, 10, 20):
        await jobs.create_within(THREE_A_MINUTE, a_job(created_at=seconds(at)))

    with pytest.raises(TooManySubmits) as refused:
        await jobs.create_within(THREE_A_MINUTE, a_job(created_at=seconds(59.999999)))
    _, load = await jobs.create_within(THREE_A_MINUTE, a_job(created_at=seconds(60)))

    assert refused.value.retry_after == 1
    assert (load.submits, load.oldest) == (3, seconds(10))


async def test_the_wait_is_right_also_when_more_were_let_in_than_now_may(jobs: JobStore) -> None:
    for at in range(5):
        await jobs.create(a_job(created_at=seconds(at)))

    with pytest.raises(TooManySubmits) as refused:
        await jobs.create_within(THREE_A_MINUTE, a_job(created_at=seconds(10)))
    await jobs.create_within(THREE_A_MINUTE, a_job(created_at=seconds(62)))

    assert refused.value.retry_after == 52


async def test_a_job_that_ended_in_any_way_makes_room(jobs: JobStore) -> None:
    ends = ((JobStatus.COMPLETED, None), (JobStatus.PARTIAL, a_failure()), (JobStatus.FAILED, a_failure()))
    for status, failure in ends:
        job, _ = await jobs.create_within(Limits(active_jobs=1), a_job())
        await jobs.move(job.id, JobStatus.PROCESSING, 0, None, LATER)
        with pytest.raises(TooManyActiveJobs):
            await jobs.create_within(Limits(active_jobs=1), a_job())
        await jobs.move(job.id, status, 0 if status is JobStatus.FAILED else 100, failure, LATER)

    job, _ = await jobs.create_within(Limits(active_jobs=1), a_job())
    await jobs.cancel(job.id, LATER)
    assert (await jobs.create_within(Limits(active_jobs=1), a_job()))[1].active_jobs == 1


async def test_a_refused_submission_writes_nothing_and_leaves_its_key_free(database: Database, jobs: JobStore) -> None:
    full, key = Limits(active_jobs=1), a_key()
    first, _ = await jobs.create_within(full, a_job())
    before = await rows(database)

    with pytest.raises(TooManyActiveJobs):
        await jobs.create_within(full, a_job(), key)
    after = await rows(database)
    await jobs.cancel(first.id, LATER)
    second, _ = await jobs.create_within(full, a_job(), key)

    assert after == before
    assert await jobs.created_as(key, LATER) == second


async def test_a_key_that_stands_for_a_job_needs_no_room_and_takes_none(jobs: JobStore) -> None:
    first, _ = await jobs.create_within(Limits(1, 1), a_job(), a_key())

    again, load = await jobs.create_within(Limits(1, 1), a_job(), a_key())

    assert again == first
    assert (load.active_jobs, load.submits) == (1, 1)


async def test_fifty_at_once_under_one_key_take_one_place(jobs: JobStore) -> None:
    created = await asyncio.gather(*(jobs.create_within(Limits(1, 1), a_job(), a_key()) for _ in range(50)))

    assert len({job.id for job, _ in created}) == 1
    assert {load.submits for _, load in created} == {1}


async def test_racers_with_keys_and_without_neither_overshoot_nor_wait_for_ever(jobs: JobStore) -> None:
    keys = [None, *(a_key(f"tap {number}") for number in range(4))]

    async with asyncio.timeout(30):
        outcomes = await asyncio.gather(
            *(jobs.create_within(THREE_A_MINUTE, a_job(), key) for _ in range(8) for key in keys),
            return_exceptions=True,
        )

    assert {type(outcome) for outcome in outcomes} == {tuple, TooManySubmits}
    assert (await jobs.page("ada", None, 20, 0, NOON))[1] == 3


async def test_a_submission_without_limits_pays_nothing_for_them(database: Database, jobs: JobStore) -> None:
    await jobs.create(a_job())

    assert (await rows(database))["submitters"] == 0


async def test_jobs_that_have_ended_cost_nothing(database: Database, database_url: str, jobs: JobStore) -> None:
    await database.execute(PAST, 20_000, to_micros(NOON - timedelta(hours=1)))
    await database.execute("ANALYZE jobs")
    explain = "EXPLAIN QUERY PLAN" if database_url.startswith("sqlite") else "EXPLAIN"

    plan = await database.fetch(f"{explain} {LOAD}", "ada", to_micros(NOON), 300, 100)
    text = "\n".join(str(value) for row in plan for value in tuple(row))

    assert "jobs_by_user_and_status" in text and "jobs_by_user " in text
    assert "SCAN jobs" not in text and "Seq Scan" not in text
    assert await jobs.load("ada", Limits(100, 300), NOON) == Load(NOON)


@pytest.fixture
async def replicas(postgres_url: str, schema: str, migrations: Path) -> AsyncIterator[list[JobStore]]:
    """The stores of two processes over one PostgreSQL."""
    databases = [await open_database(postgres_url, schema=schema) for _ in range(2)]
    await migrate(databases[0], migrations)
    yield [JobStore(database) for database in databases]
    for database in databases:
        await database.close()


async def test_a_limit_holds_over_all_replicas(replicas: list[JobStore]) -> None:
    outcomes = await asyncio.gather(
        *(jobs.create_within(Limits(5, 7), a_job()) for _ in range(20) for jobs in replicas), return_exceptions=True
    )

    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 5


async def test_users_do_not_wait_for_each_other(postgres_url: str, schema: str, migrations: Path) -> None:
    database = await open_database(postgres_url, schema=schema)
    await migrate(database, migrations)
    jobs = JobStore(database)

    async def submit(user: str) -> GenerationJob:
        return (await jobs.create_within(THREE_A_MINUTE, a_job(user)))[0]

    async with database.transaction() as transaction:
        await lock_user(transaction, "ada")
        adas = asyncio.create_task(submit("ada"))
        graces = await asyncio.wait_for(asyncio.create_task(submit("grace")), 10)
        assert not adas.done()
    assert (await adas).user_id == "ada" and graces.user_id == "grace"
    await database.close()
