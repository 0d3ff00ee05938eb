"""The store stage at a place that cannot be used: what it leaves to be waited for, and when it tells the streamer."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from chassis.database import migrate, open_database
from chassis.errors import Unavailable
from chassis.renders import FileRenders
from services.storage.domain import NOT_SAVED, PlaceUnfit, PlaceUnusable, State, StoreFailure, StoreOrder
from services.storage.ports import Blobs
from services.storage.store import DatabaseAssets
from services.storage.uploads_store import DatabaseUploads
from services.storage.usecases.storing import Storing
from tests.pictures import a_picture
from tests.storage_parts import MIGRATIONS, Clock, Parts, an_item, local_blobs

PICTURE = a_picture()


class World:
    """A store, a place that may be spoilt, and a render that waits."""

    def __init__(self, parts: Parts, renders: FileRenders) -> None:
        self.parts = parts
        self.renders = renders
        self.order = StoreOrder(an_item(), "render.0", hashlib.sha256(PICTURE).hexdigest(), 12.3)

    async def store(self, *errors: type[Unavailable]) -> str | StoreFailure:
        """The place has these, one after the other, before all is well."""
        keeper = Parts(
            self.parts.store, self.parts.uploads, SpoiltBlobs(self.parts.blobs, errors), self.parts.clock
        ).keeper
        return await Storing(self.parts.store, self.renders, keeper, pauses=(0, 0, 0)).store_render(self.order)


class SpoiltBlobs:
    """Refuses to be written to, so many times."""

    def __init__(self, blobs: Blobs, errors: Sequence[type[Unavailable]]) -> None:
        self._blobs = blobs
        self._errors = list(errors)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._blobs, name)

    async def write(self, key: str, data: bytes, content_type: str) -> None:
        if self._errors:
            raise self._errors.pop(0)()  # type: ignore[call-arg]  # these say what they say
        await self._blobs.write(key, data, content_type)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await open_database(f"sqlite://{tmp_path}/test.db", schema="storage")
    await migrate(database, MIGRATIONS)
    clock = Clock()
    renders = FileRenders(tmp_path / "renders")
    await renders.put("render.0", PICTURE)
    yield World(
        Parts(DatabaseAssets(database), DatabaseUploads(database), local_blobs(tmp_path / "blobs", clock), clock),
        renders,
    )
    await database.close()


async def test_what_passes_is_left_to_be_waited_for(world: World) -> None:
    for _ in range(10):
        with pytest.raises(PlaceUnusable):
            await world.store(PlaceUnusable)

    assert isinstance(await world.store(), str)


async def test_what_somebody_has_to_mend_is_waited_for_a_few_times_only(world: World) -> None:
    assert await world.store(*[PlaceUnfit] * 4) == NOT_SAVED

    row = await world.parts.store.of_item(world.order.item.job_id, 0)
    assert row is not None and row.state is State.ABANDONING
    assert await world.store() == NOT_SAVED


async def test_what_is_mended_in_time_is_kept(world: World) -> None:
    assert isinstance(await world.store(*[PlaceUnfit] * 3), str)


async def test_a_render_of_no_bytes_is_not_kept(world: World) -> None:
    await world.renders.put("render.0", b"")

    assert await world.store() == NOT_SAVED
