"""Calls that meet: whoever wins, rows and bytes agree afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest

from chassis.database import Database
from chassis.errors import Unavailable
from services.storage.blobs.local import LocalBlobs
from services.storage.domain import Asset, AssetNotFound, Item, State
from services.storage.store import DatabaseAssets
from services.storage.uploads_store import DatabaseUploads
from tests.blob_places import PUBLIC_URL, SIGNER
from tests.pictures import a_picture
from tests.storage_parts import (
    MIGRATIONS,
    Clock,
    Parts,
    an_item,
    is_at_rest,
    keys_on_disk,
    parts_over,
)

PICTURE, OTHER = a_picture(seed=1), a_picture(seed=2)


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


@pytest.fixture
def parts(database: Database, directory: Path) -> Parts:
    return parts_over(database, directory)


class StallingBlobs(LocalBlobs):
    """A place whose next write, or next move, waits until it is let go."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, PUBLIC_URL, SIGNER, Clock())
        self.has_stalled = asyncio.Event()
        self.go_on = asyncio.Event()

    async def write(self, key: str, data: bytes, content_type: str) -> None:
        await self._stall()
        await super().write(key, data, content_type)

    async def move(self, key: str, next_key: str) -> None:
        await self._stall()
        await super().move(key, next_key)

    async def _stall(self) -> None:
        self.has_stalled.set()
        await self.go_on.wait()


@pytest.fixture
def stalling(database: Database, directory: Path) -> tuple[Parts, StallingBlobs]:
    """Another process over the same rows and bytes, and slow."""
    blobs = StallingBlobs(directory)
    return Parts(DatabaseAssets(database), DatabaseUploads(database), blobs, Clock()), blobs


async def agree(parts: Parts, directory: Path, *asset_ids: str) -> None:
    assets = [await parts.store.get(asset_id) for asset_id in asset_ids]
    rows = [asset for asset in assets if asset is not None]
    assert all(is_at_rest(row) for row in rows)
    assert keys_on_disk(directory) == {row.key for row in rows if row.state is State.STORED}


async def finished(calls: list[Awaitable[Asset]]) -> list[Asset | BaseException]:
    return list(await asyncio.gather(*calls, return_exceptions=True))


async def test_one_picture_brought_many_times_at_once_is_one_asset(parts: Parts, directory: Path) -> None:
    item = an_item()

    assets = await asyncio.gather(*(parts.keeper.keep(item, PICTURE) for _ in range(8)))

    assert {asset.id for asset in assets} == {assets[0].id}
    await agree(parts, directory, assets[0].id)


async def test_of_different_pictures_for_one_item_one_is_kept_whole(parts: Parts, directory: Path) -> None:
    item = an_item()
    pictures = [a_picture(seed=seed) for seed in range(6)]

    results = await finished([parts.keeper.keep(item, picture) for picture in pictures])

    assert all(isinstance(result, Asset | Unavailable) for result in results)
    asset = await parts.keeper.keep(item, PICTURE)
    await agree(parts, directory, asset.id)
    async with parts.blobs.read(asset.key) as chunks:
        data = b"".join([chunk async for chunk in chunks])
    assert data in [*pictures, PICTURE]
    assert len(data) == asset.picture.file_size


async def begin_slowly(stalling: tuple[Parts, StallingBlobs], item: Item) -> asyncio.Task[Asset]:
    slow, blobs = stalling
    task = asyncio.create_task(slow.keeper.keep(item, PICTURE))
    await blobs.has_stalled.wait()
    return task


async def test_a_slow_writer_finds_its_picture_stored_by_another(
    parts: Parts, stalling: tuple[Parts, StallingBlobs], directory: Path
) -> None:
    item = an_item()
    slow = await begin_slowly(stalling, item)
    asset = await parts.keeper.keep(item, PICTURE)

    stalling[1].go_on.set()

    assert await slow == asset
    await agree(parts, directory, asset.id)


async def test_a_slow_writer_clears_away_what_was_overtaken_by_other_bytes(
    parts: Parts, stalling: tuple[Parts, StallingBlobs], directory: Path
) -> None:
    item = an_item()
    slow = await begin_slowly(stalling, item)
    asset = await parts.keeper.keep(item, OTHER)

    stalling[1].go_on.set()

    assert await slow == asset
    await agree(parts, directory, asset.id)


async def test_a_slow_writer_does_not_bring_back_what_was_deleted_meanwhile(
    parts: Parts, stalling: tuple[Parts, StallingBlobs], directory: Path
) -> None:
    item = an_item()
    slow = await begin_slowly(stalling, item)
    asset = await parts.keeper.keep(item, PICTURE)
    await parts.gallery.delete_asset("ada", asset.id)

    stalling[1].go_on.set()

    assert (await slow).state is State.DELETED
    await agree(parts, directory, asset.id)


async def test_a_slow_writer_leaves_nothing_behind_when_its_item_was_given_up(
    parts: Parts, stalling: tuple[Parts, StallingBlobs], directory: Path
) -> None:
    item = an_item()
    slow = await begin_slowly(stalling, item)
    await parts.store.abandon(item.job_id, 0)
    await parts.recovery.recover()

    stalling[1].go_on.set()

    asset = await slow
    assert asset.state is State.ABANDONED
    await agree(parts, directory, asset.id)


async def test_racing_changes_of_visibility_end_in_one_of_the_two(parts: Parts, directory: Path) -> None:
    asset = await parts.keeper.keep(an_item(), PICTURE)
    wishes = [True, False] * 4

    await asyncio.gather(*(parts.gallery.set_visibility("ada", asset.id, is_public=wish) for wish in wishes))

    await agree(parts, directory, asset.id)
    assert await parts.opens(await parts.url(asset.id))


async def test_a_slow_mover_finds_its_move_finished_by_another(
    parts: Parts, stalling: tuple[Parts, StallingBlobs], directory: Path
) -> None:
    slow, blobs = stalling
    asset = await parts.keeper.keep(an_item(), PICTURE)
    moving = asyncio.create_task(slow.gallery.set_visibility("ada", asset.id, is_public=True))
    await blobs.has_stalled.wait()
    await parts.gallery.set_visibility("ada", asset.id, is_public=False)

    blobs.go_on.set()

    assert not (await moving).asset.is_public
    assert not await parts.is_shared(asset.id)
    await agree(parts, directory, asset.id)


async def test_what_is_deleted_while_it_moves_is_gone(
    parts: Parts, stalling: tuple[Parts, StallingBlobs], directory: Path
) -> None:
    slow, blobs = stalling
    asset = await parts.keeper.keep(an_item(), PICTURE)
    moving = asyncio.create_task(slow.gallery.set_visibility("ada", asset.id, is_public=True))
    await blobs.has_stalled.wait()
    await parts.gallery.delete_asset("ada", asset.id)

    blobs.go_on.set()

    with pytest.raises(AssetNotFound):
        await moving
    await agree(parts, directory, asset.id)


async def test_of_racing_deletions_each_succeeds_or_finds_nothing(parts: Parts, directory: Path) -> None:
    asset = await parts.keeper.keep(an_item(), PICTURE)
    calls = [parts.gallery.delete_asset("ada", asset.id) for _ in range(6)]

    results = await asyncio.gather(*calls, return_exceptions=True)

    assert None in results
    assert all(result is None or isinstance(result, AssetNotFound) for result in results)
    await agree(parts, directory, asset.id)


async def test_everything_at_once_leaves_rows_and_bytes_in_agreement(parts: Parts, directory: Path) -> None:
    asset = await parts.keeper.keep(an_item(), PICTURE)
    calls: list[Awaitable[object]] = [
        parts.gallery.set_visibility("ada", asset.id, is_public=is_public) for is_public in (True, False, True)
    ]
    calls += [parts.recovery.recover(), parts.gallery.get_asset("ada", asset.id)]
    calls += [parts.keeper.keep(asset.item, PICTURE), parts.gallery.delete_asset("ada", asset.id)]

    results = await asyncio.gather(*calls, return_exceptions=True)

    errors = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(error, AssetNotFound) for error in errors)
    await agree(parts, directory, asset.id)
