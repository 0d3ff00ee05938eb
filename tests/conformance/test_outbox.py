"""The items as outbox, on both databases: fair, bounded, and nothing left behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.database import Database
from services.generation.domain import Dispatch, Sending
from services.generation.items_store import ItemStore
from services.generation.store import JobStore
from tests.builders import NOON, a_failure, a_job, a_render

LATER = NOON + timedelta(seconds=1)


@pytest.fixture
def migrations() -> Path:
    return Path(services.generation.__file__).parent / "migrations"


@pytest.fixture
def jobs(database: Database) -> JobStore:
    return JobStore(database)


@pytest.fixture
def items(database: Database) -> ItemStore:
    return ItemStore(database)


async def test_the_outbox_never_hands_out_more_than_the_window(jobs: JobStore, items: ItemStore) -> None:
    for _ in range(5):
        await jobs.create(a_job(count=4))

    taken = await asyncio.gather(*(items.take(8, LATER) for _ in range(6)))

    keys = [(each.job_id, each.item) for some in taken for each in some]
    assert len(keys) == len(set(keys)) == 8


async def test_one_users_many_items_delay_anothers_first_by_one_turn(jobs: JobStore, items: ItemStore) -> None:
    for _ in range(10):
        await jobs.create(a_job("ada", count=4))
    first = await items.take(4, LATER)
    late = await jobs.create(a_job("grace"))

    for each in first:
        await items.failed(each.job_id, each.item, a_failure(), LATER)
    second = await items.take(2, LATER)

    assert late.id in [each.job_id for each in second]


async def test_what_could_not_be_sent_is_handed_out_again(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job())
    taken = await items.take(1, LATER)

    await items.give_back(taken)
    again = await items.take(1, LATER)

    assert [(each.job_id, each.dispatch) for each in again] == [(job.id, 2)]


async def test_an_item_that_moved_on_is_not_given_back(jobs: JobStore, items: ItemStore) -> None:
    await jobs.create(a_job())
    taken = await items.take(1, LATER)
    await items.stored(taken[0].job_id, 0, "asset-0", LATER)

    await items.give_back(taken)

    assert await items.take(1, LATER) == []


async def test_only_items_that_were_silent_are_sent_again(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job())
    await items.sent(await items.take(1, LATER))
    soon = LATER + timedelta(microseconds=1)

    assert await items.silent(LATER, soon) == []
    assert await items.silent(soon, NOON) == [Sending(job.id, 0, 1)]
    await items.give_back([Sending(job.id, 0, 1)])
    assert [each.dispatch for each in await items.take(1, soon)] == [2]


async def test_an_item_that_was_seen_in_the_queue_is_not_silent(jobs: JobStore, items: ItemStore) -> None:
    await jobs.create(a_job())
    taken = await items.take(1, LATER)
    later = LATER + timedelta(minutes=1)

    await items.heard_of(taken, later)

    assert await items.silent(later, later) == []
    assert len(await items.silent(later + timedelta(microseconds=1), NOON)) == 1


async def test_an_item_that_was_sent_again_is_not_given_back_for_an_earlier_sending(
    jobs: JobStore, items: ItemStore
) -> None:
    job = await jobs.create(a_job())
    await items.give_back(await items.take(1, LATER))
    await items.take(1, LATER)

    await items.give_back([Sending(job.id, 0, 1)])
    await items.heard_of([Sending(job.id, 0, 1)], LATER + timedelta(minutes=1))

    assert await items.take(1, LATER) == []
    assert await items.silent(LATER + timedelta(microseconds=1), NOON) == [Sending(job.id, 0, 2)]


async def test_a_job_past_its_time_is_overdue_whether_it_waits_or_is_on_its_way(
    jobs: JobStore, items: ItemStore
) -> None:
    waiting = await jobs.create(a_job(start_by=NOON + timedelta(minutes=1)))
    sent = await jobs.create(a_job(start_by=NOON + timedelta(minutes=1), finish_by=NOON + timedelta(minutes=5)))
    await items.start(sent.id, 0, (await _take_one(items, sent.id)).dispatch, "a prompt", LATER)

    after_start_by = await items.overdue(NOON + timedelta(minutes=2), 10)
    after_finish_by = await items.overdue(NOON + timedelta(minutes=6), 10)

    assert after_start_by == [(waiting.id, 0, "DEADLINE_EXCEEDED")]
    assert {job_id for job_id, _, _ in after_finish_by} == {waiting.id, sent.id}


async def test_of_what_is_overdue_the_longest_comes_first_each_once_and_no_more_than_asked_for(
    jobs: JobStore, items: ItemStore
) -> None:
    minutes = [timedelta(minutes=number) for number in range(1, 4)]
    late = [await jobs.create(a_job(start_by=NOON + each, finish_by=NOON + each)) for each in minutes]
    not_begun = [await jobs.create(a_job(start_by=NOON + each, finish_by=NOON + 9 * each)) for each in minutes]
    expected = [job.id for job in (late[0], late[1], late[2], not_begun[0], not_begun[1], not_begun[2])]

    overdue = await items.overdue(NOON + timedelta(minutes=4), 10)

    assert [job_id for job_id, _, _ in overdue] == expected
    assert [job_id for job_id, _, _ in await items.overdue(NOON + timedelta(minutes=4), 2)] == expected[:2]


async def test_a_picture_that_was_made_in_time_and_not_stored_is_not_said_to_have_taken_too_long(
    jobs: JobStore, items: ItemStore
) -> None:
    job = await jobs.create(a_job())
    await items.take(10, LATER)
    await items.rendered(job.id, 0, a_render(), LATER)

    assert await items.overdue(NOON + timedelta(hours=2), 10) == [(job.id, 0, "STORAGE_ERROR")]


async def _take_one(items: ItemStore, job_id: str) -> Dispatch:
    """Takes all, gives back the others as if they had never been sent."""
    taken = await items.take(10, LATER)
    wanted = [each for each in taken if each.job_id == job_id]
    await items.give_back([each for each in taken if each.job_id != job_id])
    return wanted[0]
