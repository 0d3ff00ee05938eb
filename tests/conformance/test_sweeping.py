"""Renders that nobody will come for are removed, and no other, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.database import Database
from chassis.renders import FileRenders, RenderMissing
from services.generation.domain import Render
from services.generation.items_store import ItemStore
from services.generation.store import JobStore
from services.generation.sweeping import Sweeping
from tests.builders import NOON, a_failure, a_job

ALWAYS = timedelta(seconds=-1)
"""An age that even a new render exceeds."""


@pytest.fixture
def migrations() -> Path:
    return Path(services.generation.__file__).parent / "migrations"


async def _rendered(jobs: JobStore, items: ItemStore, renders: FileRenders) -> Render:
    """An item with its picture, and beside it the picture of a worker that died before it could say so."""
    job = await jobs.create(a_job())
    taken = await items.take(10, NOON)
    await items.start(job.id, 0, taken[0].dispatch, "a prompt", NOON)
    render = Render(f"{job.id}.0.0123456789abcdef", "0" * 64, "image/png")
    await renders.put(render.key, b"kept")
    await renders.put(f"{job.id}.0.fedcba9876543210", b"never named")
    await items.rendered(job.id, 0, render, NOON)
    return render


async def test_only_a_render_that_no_item_names_is_swept(database: Database, tmp_path: Path) -> None:
    jobs, items, renders = JobStore(database), ItemStore(database), FileRenders(tmp_path / "renders")
    waiting, failed = await _rendered(jobs, items, renders), await _rendered(jobs, items, renders)
    await items.failed(failed.key.split(".")[0], 0, a_failure(), NOON)

    await Sweeping(renders, items, unnamed_for=ALWAYS).sweep()

    assert set(await renders.keys(ALWAYS)) == {waiting.key, failed.key}


async def test_the_render_of_an_item_that_is_stored_is_swept_when_nobody_did_it(
    database: Database, tmp_path: Path
) -> None:
    jobs, items, renders = JobStore(database), ItemStore(database), FileRenders(tmp_path / "renders")
    render = await _rendered(jobs, items, renders)
    await items.stored(render.key.split(".")[0], 0, "asset-0", NOON)

    await Sweeping(renders, items, unnamed_for=ALWAYS).sweep()

    with pytest.raises(RenderMissing):
        await renders.get(render.key)


async def test_a_render_that_may_still_be_named_is_left_alone(database: Database, tmp_path: Path) -> None:
    jobs, items, renders = JobStore(database), ItemStore(database), FileRenders(tmp_path / "renders")
    await _rendered(jobs, items, renders)

    await Sweeping(renders, items).sweep()

    assert len(await renders.keys(ALWAYS)) == 2


async def test_a_thousand_keys_are_looked_up(database: Database, tmp_path: Path) -> None:
    items = ItemStore(database)

    assert await items.needed_renders([f"job-{number}.0.0" for number in range(1200)]) == set()
