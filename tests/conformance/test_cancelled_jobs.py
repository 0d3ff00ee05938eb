"""Cancelled jobs on both databases: nothing follows, and nothing is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.database import Database
from services.generation.discards_store import DiscardStore
from services.generation.domain import Dispatch
from services.generation.items_store import ItemStore
from services.generation.states import InvalidStateTransition, JobStatus
from services.generation.store import JobStore
from tests.builders import NOON, a_job

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


async def test_a_cancelled_job_never_becomes_anything_else(jobs: JobStore, items: ItemStore) -> None:
    for started in (False, True):
        job = await jobs.create(a_job())
        taken = await items.take(10, LATER)
        if started:
            await start_all(items, taken)

        cancelled = await jobs.cancel(job.id, LATER)

        assert cancelled.status is JobStatus.FAILED and cancelled.failure is not None
        assert (cancelled.failure.reason, cancelled.completed_at) == ("CANCELLED", LATER)
        assert await items.start(job.id, 0, 1, "a prompt", LATER) is None
        assert not await items.stored(job.id, 0, f"asset-of-{job.id}", LATER)
        assert await jobs.get(job.id) == cancelled
        with pytest.raises(InvalidStateTransition):
            await jobs.cancel(job.id, LATER)


async def test_what_was_stored_of_a_cancelled_job_is_to_be_discarded(
    jobs: JobStore, items: ItemStore, database: Database
) -> None:
    job = await jobs.create(a_job(count=2))
    await start_all(items, await items.take(10, LATER))
    await items.stored(job.id, 0, "asset-early", LATER)
    await jobs.cancel(job.id, LATER)
    await items.stored(job.id, 1, "asset-late", LATER)
    await items.stored(job.id, 1, "asset-late", LATER)

    discards = DiscardStore(database)

    assert await discards.waiting(10) == ["asset-early", "asset-late"]
    await discards.done("asset-early")
    assert await discards.waiting(10) == ["asset-late"]
    assert not (await jobs.get(job.id)).has_assets


async def test_an_asset_that_is_told_of_twice_is_kept(jobs: JobStore, items: ItemStore, database: Database) -> None:
    job = await jobs.create(a_job())
    await start_all(items, await items.take(10, LATER))

    await items.stored(job.id, 0, "asset", LATER)
    await items.stored(job.id, 0, "asset", LATER)

    assert await DiscardStore(database).waiting(10) == []
