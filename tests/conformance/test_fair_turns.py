"""Fair turns on both databases, while one user has many thousand items waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.database import Database
from chassis.times import to_micros
from services.generation.domain import Dispatch
from services.generation.items_store import ItemStore
from services.generation.limits import Limits
from services.generation.store import JobStore
from tests.builders import NOON, a_failure, a_job

LATER = NOON + timedelta(seconds=1)
MANY = 20_000
# What that many calls of `create` by one user write, in two statements.
NUMBERS = "WITH RECURSIVE flood (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM flood WHERE n < CAST($1 AS BIGINT))"
FLOOD_OF_JOBS = f"""
{NUMBERS}
INSERT INTO jobs (id, user_id, brand_kit_id, asset_type, status, progress, count, custom_prompt, template_version,
                  prompt, has_assets, revision, request_id, start_by, finish_by, created_at, updated_at)
SELECT 'flood-' || n, 'ada', '', 'banner', 'queued', 0, 1, '', '', '', FALSE, 1, '',
       CAST($3 AS BIGINT), CAST($3 AS BIGINT), CAST($2 AS BIGINT) + n, CAST($2 AS BIGINT) + n
FROM flood
"""
FLOOD_OF_ITEMS = f"""
{NUMBERS}
INSERT INTO items (job_id, item, user_id, state, progress, turn, not_before, dispatch, touched_at, finish_by, seed)
SELECT 'flood-' || n, 0, 'ada', 'waiting', 0, n, CAST($2 AS BIGINT), 0, CAST($2 AS BIGINT), CAST($3 AS BIGINT), 7
FROM flood
"""


@pytest.fixture
def migrations() -> Path:
    return Path(services.generation.__file__).parent / "migrations"


@pytest.fixture
async def jobs(database: Database) -> JobStore:
    """Many thousand of Ada's wait."""
    times = to_micros(NOON), to_micros(NOON + timedelta(hours=1))
    async with database.transaction() as transaction:
        for flood in (FLOOD_OF_JOBS, FLOOD_OF_ITEMS):
            await transaction.execute(flood, MANY, *times)
    return JobStore(database)


@pytest.fixture
def items(database: Database) -> ItemStore:
    return ItemStore(database)


async def dispatched(items: ItemStore, number: int) -> list[str]:
    """The users of so many items in the order they are taken, each ending before the next is."""
    users = []
    for _ in range(number):
        [taken] = await items.take(1, LATER)
        users.append(taken.user_id)
        await end(items, [taken])
    return users


async def end(items: ItemStore, taken: Sequence[Dispatch]) -> None:
    for each in taken:
        await items.failed(each.job_id, each.item, a_failure(), LATER)


async def test_a_first_job_is_dispatched_after_at_most_one_other_of_all_that_wait(
    jobs: JobStore, items: ItemStore
) -> None:
    await dispatched(items, 10)

    for late in ("grace", "linus", "margaret"):
        await jobs.create(a_job(late))
        assert late in await dispatched(items, 2)


async def test_a_first_job_is_among_the_next_also_when_the_window_is_full(jobs: JobStore, items: ItemStore) -> None:
    under_way = await items.take(64, LATER)
    await jobs.create(a_job("grace"))

    assert await items.take(64, LATER) == []
    await end(items, under_way[:2])

    assert "grace" in [each.user_id for each in await items.take(64, LATER)]


async def test_users_take_turns_and_the_patient_one_is_served_last(jobs: JobStore, items: ItemStore) -> None:
    await dispatched(items, 10)
    for late in ("grace", "linus"):
        for _ in range(5):
            await jobs.create(a_job(late))

    order = await dispatched(items, 15)

    assert {user: order.count(user) for user in order} == {"ada": 5, "grace": 5, "linus": 5}
    assert all(set(order[number : number + 3]) == {"ada", "grace", "linus"} for number in range(0, 15, 3))
    assert set(await dispatched(items, 10)) == {"ada"}


async def test_submissions_that_race_under_limits_get_one_turn_each(database: Database, jobs: JobStore) -> None:
    await asyncio.gather(*(jobs.create_within(Limits(MANY, MANY), a_job("grace")) for _ in range(30)))

    turns = await database.fetch("SELECT turn FROM items WHERE user_id = 'grace' ORDER BY turn")
    assert [row["turn"] for row in turns] == list(range(1, 31))
