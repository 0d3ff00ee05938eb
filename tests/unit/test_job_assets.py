"""In which order the assets of a job are shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import services.generation
from chassis.auth import Caller
from chassis.database import Database, migrate, open_database
from services.generation.domain import Asset, Render
from services.generation.items_store import ItemStore
from services.generation.limits import Limits
from services.generation.store import JobStore
from services.generation.usecases import Deadlines, GenerationService
from tests.builders import NOON, a_failure, a_job

ADA = Caller(user_id="ada", is_service=False, tier="free", token="a token")
LATER = NOON + timedelta(seconds=1)
NOBODY: Any = None
"""Is not asked."""
DISTANCES = (30.5, None, 4.2, 4.2)


class Newest:
    """Storage, which lists the newest first."""

    def __init__(self, *ids: str) -> None:
        self._ids = ids

    async def of_job(self, job_id: str, token: str) -> Sequence[Asset]:
        return [
            Asset(each, job_id, "ada", "banner", "", 1200, 480, 1, False, None, NOON) for each in reversed(self._ids)
        ]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await open_database(f"sqlite://{tmp_path}/test.db", schema="generation")
    await migrate(database, Path(services.generation.__file__).parent / "migrations")
    yield database
    await database.close()


async def shown(database: Database, job_id: str, *stored: int) -> list[str]:
    """The assets of a job when storage has these."""
    service = GenerationService(
        jobs=JobStore(database),
        calls=NOBODY,
        renders=NOBODY,
        brand_kits=NOBODY,
        assets=Newest(*(f"asset-{number}" for number in stored)),
        announcer=NOBODY,
        submitted=lambda: None,
        deadlines=Deadlines(timedelta(minutes=10), timedelta(hours=1)),
        limits=Limits(),
        clock=lambda: LATER,
    )
    return [asset.id for asset in await service.get_job_assets(ADA, job_id)]


async def a_job_with(database: Database, *stored: int) -> str:
    """Of four variations, of which these are stored."""
    jobs, items = JobStore(database), ItemStore(database)
    job = await jobs.create(a_job(count=4))
    await items.take(4, LATER)
    for number in stored:
        render = Render(f"{job.id}.{number}", "sha", "image/png", DISTANCES[number])
        await items.start(job.id, number, 1, "a prompt", LATER)
        await items.rendered(job.id, number, render, LATER)
        await items.stored(job.id, number, f"asset-{number}", LATER)
    return job.id


async def test_while_a_job_runs_its_assets_stay_in_the_order_of_its_variations(database: Database) -> None:
    job_id = await a_job_with(database, 2, 0, 3)

    assert await shown(database, job_id, 2, 0, 3) == ["asset-0", "asset-2", "asset-3"]


async def test_when_a_job_has_ended_the_nearest_comes_first_and_the_unmeasured_last(database: Database) -> None:
    job_id = await a_job_with(database, 3, 1, 0, 2)

    assert await shown(database, job_id, 3, 1, 0, 2) == ["asset-2", "asset-3", "asset-0", "asset-1"]


async def test_of_a_partial_job_what_was_made_is_in_that_order_too(database: Database) -> None:
    job_id = await a_job_with(database, 0, 2)
    for number in (1, 3):
        await ItemStore(database).failed(job_id, number, a_failure(), LATER)

    assert await shown(database, job_id, 0, 2) == ["asset-2", "asset-0"]


async def test_what_its_owner_has_deleted_is_left_out(database: Database) -> None:
    job_id = await a_job_with(database, 0, 1, 2, 3)

    assert await shown(database, job_id, 0, 3) == ["asset-3", "asset-0"]
