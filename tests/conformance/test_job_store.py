"""Jobs and items on both databases: the state machine holds under races."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.database import Database
from services.generation.domain import Dispatch, GenerationJob, NewItem, Render
from services.generation.items_store import ItemStore
from services.generation.refusals import JobNotFound
from services.generation.states import InvalidStateTransition, ItemStanding, ItemState, JobStatus
from services.generation.store import JobStore
from services.generation.variations import StoredItem
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


async def start_all(items: ItemStore, taken: Sequence[Dispatch]) -> None:
    for each in taken:
        assert await items.start(each.job_id, each.item, each.dispatch, "a prompt", LATER) is not None


async def test_a_new_job_is_queued_with_nothing_done(jobs: JobStore) -> None:
    created = await jobs.create(a_job(count=3))

    assert (created.status, created.progress, created.count, created.revision) == (JobStatus.QUEUED, 0, 3, 1)
    assert created.completed_at is None and created.failure is None and not created.has_assets
    assert await jobs.get(created.id) == created


async def test_a_job_that_does_not_exist_is_not_found(jobs: JobStore) -> None:
    with pytest.raises(JobNotFound):
        await jobs.get(a_job().id)


async def test_a_page_is_newest_first_and_counts_all_that_match(jobs: JobStore) -> None:
    created = [await jobs.create(a_job(created_at=NOON + timedelta(seconds=number))) for number in range(5)]
    await jobs.create(a_job("grace"))

    page, total = await jobs.page("ada", None, 2, 1, NOON)

    assert [job.id for job in page] == [created[3].id, created[2].id]
    assert total == 5


async def test_a_page_of_one_status_counts_only_that_status(jobs: JobStore) -> None:
    first = await jobs.create(a_job())
    await jobs.create(a_job())
    await jobs.move(first.id, JobStatus.PROCESSING, 0, None, LATER)

    page, total = await jobs.page("ada", JobStatus.PROCESSING, 20, 0, NOON)

    assert [job.id for job in page] == [first.id]
    assert total == 1


async def test_of_two_writers_racing_to_end_a_job_one_wins(jobs: JobStore) -> None:
    job = await jobs.create(a_job())
    await jobs.move(job.id, JobStatus.PROCESSING, 0, None, LATER)

    outcomes = await asyncio.gather(
        jobs.move(job.id, JobStatus.COMPLETED, 100, None, LATER),
        jobs.move(job.id, JobStatus.FAILED, 0, a_failure(), LATER),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)] == [InvalidStateTransition]
    won = next(outcome for outcome in outcomes if isinstance(outcome, GenerationJob))
    assert await jobs.get(job.id) == won


async def test_a_job_that_is_ended_from_outside_leaves_no_work_behind(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job(count=2))
    await jobs.move(job.id, JobStatus.PROCESSING, 0, None, LATER)

    await jobs.move(job.id, JobStatus.FAILED, 0, a_failure(), LATER)

    assert await items.take(10, LATER) == []


async def test_the_last_item_completes_the_job(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job(count=2))
    taken = await items.take(10, LATER)
    await start_all(items, taken)

    assert await items.stored(job.id, 0, "asset-0", LATER)
    half = await jobs.get(job.id)
    assert await items.stored(job.id, 1, "asset-1", LATER)
    done = await jobs.get(job.id)

    assert (half.status, half.progress, half.has_assets) == (JobStatus.PROCESSING, 60, True)
    assert (done.status, done.progress, done.completed_at) == (JobStatus.COMPLETED, 100, LATER)
    assert await jobs.stored_items(job.id) == [StoredItem(0, "asset-0", None), StoredItem(1, "asset-1", None)]


async def test_two_items_that_end_at_once_complete_the_job_together(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job(count=4))
    await start_all(items, await items.take(10, LATER))

    await asyncio.gather(*(items.stored(job.id, number, f"asset-{number}", LATER) for number in range(4)))

    assert (await jobs.get(job.id)).status is JobStatus.COMPLETED


async def test_some_stored_and_some_failed_is_partial_and_says_how_many(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job(count=2))
    await start_all(items, await items.take(10, LATER))

    await items.failed(job.id, 0, a_failure(), LATER)
    await items.stored(job.id, 1, "asset-1", LATER)

    ended = await jobs.get(job.id)
    assert (ended.status, ended.progress) == (JobStatus.PARTIAL, 100)
    assert ended.error_message == "1 of 2 pictures could not be made. The image service failed."


async def test_a_job_whose_every_item_failed_keeps_its_progress(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job())
    await start_all(items, await items.take(10, LATER))
    await items.rendered(job.id, 0, a_render(), LATER)

    await items.failed(job.id, 0, a_failure(reason="STORAGE_ERROR", stage="store"), LATER)

    ended = await jobs.get(job.id)
    assert (ended.status, ended.progress) == (JobStatus.FAILED, 70)
    assert ended.failure is not None and ended.failure.reason == "STORAGE_ERROR"


async def test_an_item_that_fails_before_it_started_takes_its_job_through_processing(
    jobs: JobStore, items: ItemStore
) -> None:
    job = await jobs.create(a_job())

    await items.failed(job.id, 0, a_failure(reason="BRAND_KIT_NOT_FOUND", stage="prompt"), LATER)

    ended = await jobs.get(job.id)
    assert ended.status is JobStatus.FAILED
    assert ended.revision == job.revision + 2


async def test_an_item_ends_only_once(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job())
    await start_all(items, await items.take(10, LATER))
    await items.stored(job.id, 0, "asset-0", LATER)
    done = await jobs.get(job.id)

    assert not await items.stored(job.id, 0, "asset-other", LATER)
    assert not await items.failed(job.id, 0, a_failure(), LATER)
    assert await items.rendered(job.id, 0, a_render(), LATER) is None

    assert await jobs.get(job.id) == done


async def test_an_item_started_again_finds_its_render_and_changes_nothing(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job(seed=40))
    await start_all(items, await items.take(10, LATER))
    await items.rendered(job.id, 0, a_render(), LATER)
    before = await jobs.get(job.id)

    again = await items.start(job.id, 0, 1, "a prompt", LATER)

    assert again is not None and again.render == a_render() and again.seed == 40
    assert await jobs.get(job.id) == before


async def test_a_delivery_older_than_the_last_dispatch_is_void(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job())
    await items.take(10, LATER)
    await items.give_back(await items.silent(LATER + timedelta(hours=1), NOON))
    await items.take(10, LATER)

    assert await items.start(job.id, 0, 1, "a prompt", LATER) is None
    assert await items.start(job.id, 0, 2, "a prompt", LATER) is not None


async def test_what_went_wrong_on_an_earlier_way_does_not_end_an_item(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job())
    await items.take(10, LATER)
    await items.give_back(await items.silent(LATER + timedelta(hours=1), NOON))
    await items.take(10, LATER)

    assert not await items.failed(job.id, 0, a_failure(), LATER, dispatch=1)
    assert await items.failed(job.id, 0, a_failure(), LATER, dispatch=2)


async def test_how_near_a_picture_is_to_the_brand_is_kept_with_its_render(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job(count=3))
    await start_all(items, await items.take(3, LATER))
    near, unmeasured, late = (Render(f"render.{far}", "sha", "image/png", far) for far in (0.1, None, 7.7))
    await items.rendered(job.id, 0, near, LATER)
    await items.rendered(job.id, 0, late, LATER)
    await items.rendered(job.id, 1, unmeasured, LATER)

    for number in (1, 0):
        await items.stored(job.id, number, f"asset-{number}", LATER)

    assert await jobs.stored_items(job.id) == [StoredItem(0, "asset-0", 0.1), StoredItem(1, "asset-1", None)]


async def test_a_picture_that_is_taken_over_for_a_retry_is_as_near_as_it_was(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job(items=(NewItem(7, a_render()),)))

    [sending] = await items.take(1, LATER)
    await items.stored(job.id, 0, "asset-0", LATER)

    assert sending.render == a_render()
    assert await jobs.stored_items(job.id) == [StoredItem(0, "asset-0", a_render().palette_distance)]


async def test_a_render_is_spent_only_when_its_item_is_stored(jobs: JobStore, items: ItemStore) -> None:
    stored, failed = await jobs.create(a_job()), await jobs.create(a_job())
    await start_all(items, await items.take(10, LATER))
    for job in (stored, failed):
        await items.rendered(job.id, 0, a_render(), LATER)
    await items.stored(stored.id, 0, "asset-0", LATER)
    await items.failed(failed.id, 0, a_failure(reason="DEADLINE_EXCEEDED"), LATER)

    await items.stored(failed.id, 0, "asset-late", LATER)

    assert await items.spent_render(stored.id, 0) == a_render()
    assert await items.spent_render(failed.id, 0) is None
    assert [item.render for item in await jobs.failed_items(failed.id)] == [a_render()]


async def test_progress_is_never_a_hundred_before_the_end(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job(count=3))
    await start_all(items, await items.take(10, LATER))
    seen = []

    for number in range(3):
        await items.rendered(job.id, number, a_render(), LATER)
        seen.append((await jobs.get(job.id)).progress)
        await items.stored(job.id, number, f"asset-{number}", LATER)
        seen.append((await jobs.get(job.id)).progress)

    assert seen == sorted(seen)
    assert seen[-1] == 100 and max(seen[:-1]) < 100


async def test_an_item_says_how_it_stands_and_on_which_way(jobs: JobStore, items: ItemStore) -> None:
    job = await jobs.create(a_job(count=2))
    waiting = await items.standing(job.id, 0)
    await items.take(1, LATER)
    sent = await items.standing(job.id, 0)
    await items.failed(job.id, 0, a_failure(), LATER)

    assert (waiting.state, waiting.dispatch, waiting.failure) == (ItemState.WAITING, 0, None)
    assert (sent.state, sent.dispatch, sent.failure) == (ItemState.DISPATCHED, 1, None)
    assert await items.standing(job.id, 0) == ItemStanding(ItemState.FAILED, 1, a_failure())


@pytest.mark.parametrize("item", [2, -1])
async def test_a_variation_that_a_job_does_not_have_is_not_found_and_changes_nothing(
    jobs: JobStore, items: ItemStore, item: int
) -> None:
    job = await jobs.create(a_job(count=2))

    for call in (
        items.standing(job.id, item),
        items.start(job.id, item, 1, "a prompt", LATER),
        items.rendered(job.id, item, a_render(), LATER),
        items.stored(job.id, item, "asset", LATER),
        items.failed(job.id, item, a_failure(), LATER),
    ):
        with pytest.raises(JobNotFound, match=f"variation {item} of job {job.id}"):
            await call

    assert await jobs.get(job.id) == job
