"""Assets in either database: each change happens once, and only from where it may."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.database import Database
from services.storage.domain import Asset, Item, Picture, State, new_key
from services.storage.store import DatabaseAssets
from tests.builders import NOON
from tests.storage_parts import MIGRATIONS, an_item

PICTURE = Picture("a" * 64, "image/png", 1280, 720, 123_456, palette_distance=12.3)
OTHER = Picture("b" * 64, "image/webp", 1920, 1080, 654_321)
LATER = NOON + timedelta(minutes=1)


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS


@pytest.fixture
def store(database: Database) -> DatabaseAssets:
    return DatabaseAssets(database)


def a_key() -> str:
    return new_key(is_public=False)


async def begun(store: DatabaseAssets, item: Item | None = None) -> Asset:
    return await store.begin(item or an_item(), PICTURE, a_key(), NOON)


async def stored(store: DatabaseAssets, item: Item | None = None, *, minute: int = 0) -> Asset:
    asset = await store.mark_stored(await begun(store, item), NOON + timedelta(minutes=minute))
    assert asset is not None
    return asset


async def test_a_row_keeps_what_it_was_given(store: DatabaseAssets) -> None:
    item, key = an_item(item=3), a_key()

    asset = await store.begin(item, PICTURE, key, NOON)

    assert (asset.item, asset.picture, asset.key, asset.created_at) == (item, PICTURE, key, NOON)
    assert (asset.state, asset.next_key, asset.is_public, asset.viral_score) == (State.WRITING, None, False, None)
    assert await store.get(asset.id) == asset
    assert await store.of_item(item.job_id, 3) == asset


async def test_what_is_not_there_is_none(store: DatabaseAssets) -> None:
    item = an_item()

    assert await store.get("nothing") is None
    assert await store.of_item(item.job_id, 0) is None
    assert await store.of_key(a_key()) is None
    assert await store.abandon(item.job_id, 0) is None
    assert await store.begin_removal("nothing") is None


async def test_an_item_has_one_row_however_often_it_is_begun(store: DatabaseAssets) -> None:
    item = an_item()

    rows = await asyncio.gather(*(store.begin(item, PICTURE, a_key(), NOON) for _ in range(8)))

    assert len({row.id for row in rows}) == len({row.key for row in rows}) == 1


async def test_the_items_of_a_job_have_rows_of_their_own(store: DatabaseAssets) -> None:
    job = an_item()

    rows = [await begun(store, Item(job.job_id, item, "ada", "banner")) for item in range(4)]

    assert len({row.id for row in rows}) == 4


async def test_a_row_that_is_writing_can_begin_again_under_another_key(store: DatabaseAssets) -> None:
    first, key = await begun(store), a_key()

    again = await store.begin_again(first, OTHER, key)

    assert (again.id, again.key, again.picture, again.state) == (first.id, key, OTHER, State.WRITING)
    assert again.old_key == first.key
    assert await store.mark_stored(first, LATER) is None


async def test_a_row_begins_again_only_when_nothing_is_left_of_the_attempt_before(store: DatabaseAssets) -> None:
    first = await begun(store)
    second = await store.begin_again(first, OTHER, a_key())

    assert await store.begin_again(first, PICTURE, a_key()) == second
    assert await store.begin_again(second, PICTURE, a_key()) == second
    cleared = await store.forget_old_key(second)

    assert (cleared.key, cleared.old_key) == (second.key, None)
    third = await store.begin_again(cleared, PICTURE, a_key())
    assert third.old_key == second.key
    assert await store.forget_old_key(second) == third


async def test_a_stored_row_does_not_begin_again(store: DatabaseAssets) -> None:
    asset = await stored(store)

    assert await store.begin_again(asset, OTHER, a_key()) == asset


async def test_a_row_is_marked_stored_once_and_then_dated(store: DatabaseAssets) -> None:
    asset = await begun(store)

    marked = await asyncio.gather(*(store.mark_stored(asset, LATER) for _ in range(4)))

    (winner,) = [row for row in marked if row is not None]
    assert (winner.state, winner.created_at, winner.is_public) == (State.STORED, LATER, False)


async def test_only_what_is_writing_can_be_abandoned(store: DatabaseAssets) -> None:
    writing, kept = await begun(store), await stored(store)

    abandoned = await store.abandon(writing.item.job_id, 0)

    assert abandoned is not None
    assert abandoned.state is State.ABANDONING
    assert await store.abandon(kept.item.job_id, 0) == kept
    assert await store.mark_stored(writing, LATER) is None
    await store.finish_removal(abandoned)
    finished = await store.get(writing.id)
    assert finished is not None
    assert finished.state is State.ABANDONED


async def test_only_what_is_stored_can_be_removed_and_by_one_call_only(store: DatabaseAssets) -> None:
    writing, kept = await begun(store), await stored(store)

    removals = await asyncio.gather(*(store.begin_removal(kept.id) for _ in range(4)))

    (removing,) = [row for row in removals if row is not None]
    assert removing.state is State.DELETING
    assert await store.begin_removal(writing.id) is None


async def test_a_removed_row_forgets_whose_it_was_and_blocks_its_item(store: DatabaseAssets) -> None:
    asset = await stored(store)
    removing = await store.begin_removal(asset.id)
    assert removing is not None

    await store.finish_removal(removing)

    row = await store.of_item(asset.item.job_id, 0)
    assert row is not None
    assert (row.id, row.state, row.item.user_id) == (asset.id, State.DELETED, "")
    assert await begun(store, asset.item) == row


async def test_a_removal_is_finished_only_where_it_began(store: DatabaseAssets) -> None:
    asset = await stored(store)

    await store.finish_removal(asset)

    assert await store.get(asset.id) == asset


async def test_a_move_is_begun_by_one_call_only(store: DatabaseAssets) -> None:
    asset = await stored(store)
    keys = [new_key(is_public=True) for _ in range(4)]

    begun = await asyncio.gather(*(store.begin_move(asset, key) for key in keys))

    assert sorted(begun) == [False, False, False, True]
    moving = await store.get(asset.id)
    assert moving is not None
    assert moving.next_key == keys[begun.index(True)]
    assert (moving.key, moving.is_public) == (asset.key, False)


async def test_a_row_is_public_only_when_its_move_is_over(store: DatabaseAssets) -> None:
    asset = await stored(store)
    await store.begin_move(asset, new_key(is_public=True))
    moving = await store.get(asset.id)
    assert moving is not None

    await store.finish_move(moving)

    moved = await store.get(asset.id)
    assert moved is not None
    assert (moved.key, moved.next_key, moved.is_public) == (moving.next_key, None, True)
    assert await store.of_key(asset.key) is None
    assert await store.of_key(moved.key) == moved


async def test_a_row_is_private_from_the_beginning_of_its_move(store: DatabaseAssets) -> None:
    asset = await stored(store)
    for is_public in (True, False):
        await store.begin_move(asset, new_key(is_public=is_public))
        moving = await store.get(asset.id)
        assert moving is not None
        assert not moving.is_public
        await store.finish_move(moving)
        moved = await store.get(asset.id)
        assert moved is not None
        assert moved.is_public is is_public
        asset = moved


async def test_a_move_cannot_begin_from_a_key_that_is_no_longer_the_assets(store: DatabaseAssets) -> None:
    asset = await stored(store)
    await store.begin_move(asset, new_key(is_public=True))
    moving = await store.get(asset.id)
    assert moving is not None
    await store.finish_move(moving)

    assert not await store.begin_move(asset, new_key(is_public=True))


async def test_a_removed_row_neither_begins_nor_finishes_a_move(store: DatabaseAssets) -> None:
    asset = await stored(store)
    await store.begin_move(asset, new_key(is_public=True))
    moving = await store.get(asset.id)
    assert moving is not None
    removing = await store.begin_removal(asset.id)
    assert removing is not None
    assert removing.next_key == moving.next_key

    await store.finish_move(moving)

    assert await store.get(asset.id) == removing
    assert not await store.begin_move(removing, new_key(is_public=True))


async def test_only_stored_assets_are_found_by_key(store: DatabaseAssets) -> None:
    writing, kept = await begun(store), await stored(store)
    gone = await stored(store)
    await store.begin_removal(gone.id)

    assert await store.of_key(writing.key) is None
    assert await store.of_key(kept.key) == kept
    assert await store.of_key(gone.key) is None


async def test_what_awaits_an_end_is_found_and_what_rests_is_not(store: DatabaseAssets) -> None:
    await stored(store)
    fresh = await begun(store)
    moving, removing = await stored(store), await stored(store)
    await store.begin_move(moving, new_key(is_public=True))
    await store.begin_removal(removing.id)
    await store.abandon((await begun(store)).item.job_id, 0)
    finished = await store.begin_removal((await stored(store)).id)
    assert finished is not None
    await store.finish_removal(finished)

    soon = await store.unfinished(NOON)
    late = await store.unfinished(NOON + timedelta(days=1))

    assert sorted(asset.state for asset in soon) == [State.ABANDONING, State.DELETING, State.STORED]
    assert {asset.id for asset in late} - {asset.id for asset in soon} == {fresh.id}
