"""What a picture's prompt was written from stays with the picture, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.database import Database
from services.generation.attempts_store import AttemptStore
from services.generation.domain import NewItem
from services.generation.items_store import ItemStore
from services.generation.sources import PromptSource
from services.generation.store import JobStore
from tests.builders import NOON, a_failure, a_job, a_render

OLD, NEW = PromptSource("v1.0", "0" * 64), PromptSource("v1.1", "1" * 64)
LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def migrations() -> Path:
    return Path(services.generation.__file__).parent / "migrations"


async def test_it_is_noted_for_each_item_when_its_picture_is_begun(database: Database) -> None:
    items, calls = ItemStore(database), AttemptStore(database)
    job = await JobStore(database).create(a_job(count=3))
    await items.take(3, LATER)
    assert await calls.sources_of(job.id) == {}

    await items.start(job.id, 2, 1, "a prompt", LATER, NEW)
    await items.start(job.id, 0, 1, "a prompt", LATER, OLD)
    await items.start(job.id, 1, 1, "a prompt of an earlier release", LATER)

    assert await calls.sources_of(job.id) == {0: OLD, 2: NEW}


async def test_it_is_that_of_the_last_prompt_until_there_is_a_picture(database: Database) -> None:
    items, calls = ItemStore(database), AttemptStore(database)
    job = await JobStore(database).create(a_job())
    await items.take(1, LATER)
    await items.start(job.id, 0, 1, "a prompt", LATER, OLD)
    await items.start(job.id, 0, 1, "a newer prompt", LATER, NEW)

    await items.rendered(job.id, 0, a_render(), LATER, NEW)
    await items.start(job.id, 0, 1, "the prompt, delivered again", LATER, OLD)

    assert await calls.sources_of(job.id) == {0: NEW}


async def test_it_is_that_of_the_picture_that_came_though_the_item_was_begun_again_meanwhile(
    database: Database,
) -> None:
    items, calls = ItemStore(database), AttemptStore(database)
    job = await JobStore(database).create(a_job(count=2))
    await items.take(2, LATER)
    for number in range(2):
        await items.start(job.id, number, 1, "a prompt", LATER, OLD)
        await items.start(job.id, number, 1, "a newer prompt", LATER, NEW)

    await items.rendered(job.id, 0, a_render(), LATER, OLD)
    await items.rendered(job.id, 1, a_render(), LATER)

    assert await calls.sources_of(job.id) == {0: OLD}


async def test_a_void_delivery_notes_nothing(database: Database) -> None:
    items, calls = ItemStore(database), AttemptStore(database)
    job = await JobStore(database).create(a_job())
    await items.take(1, LATER)
    await items.start(job.id, 0, 1, "a prompt", LATER, OLD)

    await items.start(job.id, 0, 2, "of another way", LATER, NEW)

    assert await calls.sources_of(job.id) == {0: OLD}


async def test_a_picture_that_a_retry_takes_over_was_still_made_with_it(database: Database) -> None:
    jobs, items, calls = JobStore(database), ItemStore(database), AttemptStore(database)
    job = await jobs.create(a_job())
    await items.take(1, LATER)
    await items.start(job.id, 0, 1, "a prompt", LATER, OLD)
    await items.rendered(job.id, 0, a_render(), LATER, OLD)
    await items.failed(job.id, 0, a_failure(), LATER)
    [failed] = await jobs.failed_items(job.id)
    assert failed.source == OLD

    retry = await jobs.create(a_job(items=(NewItem(failed.seed, failed.render, failed.source), NewItem(8))))

    assert await calls.sources_of(retry.id) == {0: OLD}
