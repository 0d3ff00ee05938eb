"""Whatever step a process dies at: after a restart rows and bytes agree, and nothing private was ever public."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chassis.database import Database
from chassis.errors import Unavailable
from services.storage.domain import Asset, AssetNotFound, Item, NotAPicture, State, is_public_key
from services.storage.store import DatabaseAssets
from services.storage.uploads_store import DatabaseUploads
from services.storage.usecases.removing import ABANDONED_AFTER
from tests.blob_places import Place, SupabasePlace
from tests.crashing import Crash, Fuse, fused
from tests.pictures import a_picture
from tests.storage_parts import MIGRATIONS, Clock, Parts, an_item, is_at_rest

PICTURE, OTHER = a_picture(seed=1), a_picture(seed=2)
STEPS = 24
"""More than any of these calls has."""

Call = Callable[[Parts], Awaitable[object]]


def keep(item: Item, data: bytes = PICTURE) -> Call:
    return lambda parts: parts.keeper.keep(item, data)


def show(asset: Asset, *, is_public: bool = True) -> Call:
    return lambda parts: parts.gallery.set_visibility("ada", asset.id, is_public=is_public)


def delete(asset: Asset) -> Call:
    return lambda parts: parts.gallery.delete_asset("ada", asset.id)


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS


class Process:
    """A process after another over the same database and the same place for bytes."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self.place = place
        self.clock = Clock()
        self.parts = self.restarted()

    def restarted(self, fuse: Fuse | None = None) -> Parts:
        store, uploads = DatabaseAssets(self._database), DatabaseUploads(self._database)
        blobs = self.place.blobs(self.clock)
        if fuse is not None:
            return Parts(fused(store, fuse), fused(uploads, fuse), fused(blobs, fuse), self.clock)
        return Parts(store, uploads, blobs, self.clock)

    async def crashes(self, call: Call, step: int, error: type[BaseException] = Crash) -> bool:
        """Whether the call got as far as that step; there, its process died."""
        fuse = Fuse(step, error)
        try:
            await call(self.restarted(fuse))
        except error:
            assert fuse.is_burnt
            return True
        return False

    async def rows(self) -> list[Asset]:
        rows = await self._database.fetch("SELECT id FROM assets ORDER BY id")
        return [asset for row in rows if (asset := await self.parts.store.get(row["id"])) is not None]

    async def agree(self) -> None:
        """Every row is at rest, every stored asset has its bytes, and no bytes are without a row."""
        rows = await self.rows()
        assert all(is_at_rest(row) for row in rows)
        assert self.place.all_keys() == {row.key for row in rows if row.state is State.STORED}


@pytest.fixture
def process(database: Database, place: Place) -> Process:
    return Process(database, place)


ERRORS = pytest.mark.parametrize("error", [Crash, Unavailable], ids=["crash", "fault"])


@ERRORS
async def test_a_picture_that_is_brought_again_after_a_crash_is_stored_once(
    process: Process, error: type[BaseException]
) -> None:
    crashes = 0
    for step in range(STEPS):
        item = an_item()
        if not await process.crashes(keep(item), step, error):
            break
        crashes += 1
        begun = await process.parts.store.of_item(item.job_id, 0)

        asset = await process.parts.keeper.keep(item, PICTURE)

        assert asset.state is State.STORED
        assert begun is None or (begun.id, begun.key) == (asset.id, asset.key)
        await process.agree()
    assert crashes == 6


async def test_a_picture_that_became_another_before_it_was_brought_again_leaves_nothing_behind(
    process: Process,
) -> None:
    for step in range(STEPS):
        item = an_item()
        await process.crashes(keep(item, OTHER), 4)
        crashed = await process.crashes(keep(item), step)

        asset = await process.parts.keeper.keep(item, PICTURE)

        assert asset.state is State.STORED
        await process.agree()
        if not crashed:
            break
    assert step == 12


async def test_a_picture_that_is_never_brought_again_is_cleared_away(process: Process) -> None:
    for step in range(6):
        assert await process.crashes(keep(an_item()), step)
    process.clock.advance(seconds=ABANDONED_AFTER.total_seconds() + 1)

    await process.parts.recovery.recover()

    assert {row.state for row in await process.rows()} == {State.ABANDONED, State.STORED}
    await process.agree()


async def test_an_attempt_that_overtook_another_and_was_abandoned_leaves_nothing_behind(process: Process) -> None:
    for step in range(12):
        item = an_item()
        assert await process.crashes(keep(item, OTHER), 4)
        assert await process.crashes(keep(item), step)
    process.clock.advance(seconds=ABANDONED_AFTER.total_seconds() + 1)

    await process.parts.recovery.recover()

    assert {row.state for row in await process.rows()} == {State.ABANDONED, State.STORED}
    await process.agree()


async def test_a_picture_that_is_being_written_is_left_alone(process: Process) -> None:
    await process.crashes(keep(an_item()), 3)

    await process.parts.recovery.recover()

    assert [row.state for row in await process.rows()] == [State.WRITING]


async def test_bytes_that_are_no_picture_leave_nothing_behind(process: Process) -> None:
    with pytest.raises(NotAPicture):
        await process.parts.keeper.keep(an_item(), b"no picture")

    assert await process.rows() == []
    assert process.place.all_keys() == set()


@ERRORS
@pytest.mark.parametrize("is_public", [True, False], ids=["to public", "to private"])
@pytest.mark.parametrize("by_access", [True, False], ids=["next access", "restart"])
async def test_a_change_of_visibility_is_finished_after_a_crash(
    process: Process, is_public: bool, by_access: bool, error: type[BaseException]
) -> None:
    crashes = 0
    for step in range(STEPS):
        asset = await process.parts.keeper.keep(an_item(), PICTURE)
        asset = await process.parts.moves.change_side(asset, is_public=not is_public)
        before = await process.parts.url(asset.id)

        if not await process.crashes(show(asset, is_public=is_public), step, error):
            break
        crashes += 1
        await nothing_private_is_public(process)

        if not by_access:
            await process.restarted().recovery.recover()
        linked = await process.restarted().gallery.get_asset("ada", asset.id)

        await process.agree()
        was_begun = linked.asset.key != asset.key
        assert linked.asset.is_public is (is_public if was_begun else not is_public)
        assert await process.parts.opens(linked.url)
        assert await process.parts.opens(before) is not was_begun
        assert await process.parts.is_shared(asset.id) is linked.asset.is_public
    assert crashes == 14


async def nothing_private_is_public(process: Process) -> None:
    """Whatever lies where, without a token it opens only for whom the row says so.

    Of a row on its way, a place that shows bytes itself may show those that were public, or are to be.
    """
    public = {row.key for row in await process.rows() if row.is_public}
    for row in await process.rows():
        assert await process.parts.is_shared(row.id) is row.is_public
        for key in (row.key, row.next_key):
            if key is not None:
                assert await process.parts.opens(f"https://studio.example/files/{key}") is (key in public)
                assert not await process.place.shows(key) or row.is_public or (row.next_key and is_public_key(key))


@ERRORS
@pytest.mark.parametrize("by_access", [True, False], ids=["deleted again", "restart"])
async def test_a_deletion_is_finished_after_a_crash(
    process: Process, by_access: bool, error: type[BaseException]
) -> None:
    crashes = 0
    for step in range(STEPS):
        asset = await process.parts.keeper.keep(an_item(), PICTURE)
        url = await process.parts.url(asset.id)

        if not await process.crashes(delete(asset), step, error):
            break
        crashes += 1
        row = await process.parts.store.get(asset.id)
        assert row is not None
        was_begun = row.state is not State.STORED
        # What hands bytes out itself knows no rows: there a link dies with the bytes.
        if not (was_begun and isinstance(process.place, SupabasePlace)):
            assert await process.parts.opens(url) is not was_begun

        await process.restarted().recovery.recover()
        if by_access and not was_begun:
            await process.restarted().gallery.delete_asset("ada", asset.id)

        await process.agree()
        assert await process.parts.opens(url) is not (was_begun or by_access)
        if was_begun:
            with pytest.raises(AssetNotFound):
                await process.parts.gallery.get_asset("ada", asset.id)
            with pytest.raises(AssetNotFound):
                await process.parts.gallery.delete_asset("ada", asset.id)
    assert crashes == 8


@ERRORS
async def test_a_deletion_that_was_cut_short_is_finished_by_deleting_again(
    process: Process, error: type[BaseException]
) -> None:
    for step in (4, 5, 6):
        asset = await process.parts.keeper.keep(an_item(), PICTURE)

        assert await process.crashes(delete(asset), step, error)
        await process.parts.gallery.delete_asset("ada", asset.id)

        await process.agree()


async def test_an_asset_that_was_left_on_its_way_can_be_deleted_from_wherever_it_is(process: Process) -> None:
    crashes = 0
    for step in range(STEPS):
        asset = await process.parts.keeper.keep(an_item(), PICTURE)

        if not await process.crashes(show(asset), step):
            break
        crashes += 1
        await process.parts.gallery.delete_asset("ada", asset.id)

        await process.agree()
    assert crashes == 14


async def test_one_asset_that_cannot_be_recovered_does_not_stand_in_the_way_of_the_others(process: Process) -> None:
    assets = [await process.parts.keeper.keep(an_item(), PICTURE) for _ in range(2)]
    for asset in assets:
        await process.crashes(show(asset), 4)
    process.place.take(assets[0].key)

    await process.parts.recovery.recover()

    recovered = await process.parts.store.get(assets[1].id)
    assert recovered is not None
    assert recovered.is_public
