"""Which rows claim which keys, in either database."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.database import Database
from services.storage.domain import Asset, Picture, new_key
from services.storage.store import DatabaseAssets
from tests.builders import NOON
from tests.storage_parts import MIGRATIONS, an_item

PICTURE = Picture("a" * 64, "image/png", 1280, 720, 123_456)
OTHER = Picture("b" * 64, "image/webp", 1920, 1080, 654_321)


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS


@pytest.fixture
def store(database: Database) -> DatabaseAssets:
    return DatabaseAssets(database)


def a_key() -> str:
    return new_key(is_public=False)


async def begun(store: DatabaseAssets) -> Asset:
    return await store.begin(an_item(), PICTURE, a_key(), NOON)


async def stored(store: DatabaseAssets) -> Asset:
    asset = await store.mark_stored(await begun(store), NOON)
    assert asset is not None
    return asset


async def test_a_key_is_claimed_by_every_row_whose_bytes_may_be_there(store: DatabaseAssets) -> None:
    rests, moving = await stored(store), await stored(store)
    await store.begin_move(moving, new_key(is_public=True))
    again = await store.begin_again(await begun(store), OTHER, a_key())
    removing, abandoned = await store.begin_removal((await stored(store)).id), await begun(store)
    await store.abandon(abandoned.item.job_id, 0)
    moved = await store.get(moving.id)
    assert moved is not None and moved.next_key and again.old_key and removing
    claimed = {
        rests.key: rests, moving.key: moving, moved.next_key: moving, again.key: again, again.old_key: again,
        removing.key: removing, abandoned.key: abandoned,
    }  # fmt: skip

    for key, claimer in claimed.items():
        assert [row.id for row in await store.claiming([key])] == [claimer.id]
    assert {row.id for row in await store.claiming([*claimed, a_key()])} == {row.id for row in claimed.values()}


async def test_a_row_that_is_over_claims_nothing(store: DatabaseAssets) -> None:
    removing = await store.begin_removal((await stored(store)).id)
    abandoned = await store.abandon((await begun(store)).item.job_id, 0)
    assert removing and abandoned
    for row in (removing, abandoned):
        await store.finish_removal(row)

    assert await store.claiming([removing.key, abandoned.key]) == []


async def test_any_number_of_keys_can_be_asked_for_at_once(store: DatabaseAssets) -> None:
    rows = [await stored(store) for _ in range(3)]

    claiming = await store.claiming([*(a_key() for _ in range(1000)), *(row.key for row in rows)])

    assert {row.id for row in claiming} == {row.id for row in rows}
    assert await store.claiming([]) == []


async def test_stored_rows_are_found_by_their_keys_in_order(store: DatabaseAssets) -> None:
    rows = sorted([await stored(store) for _ in range(5)], key=lambda row: row.key)
    await begun(store)
    public = await stored(store)
    await store.begin_move(public, new_key(is_public=True))

    found = await store.stored_between(rows[0].key, rows[3].key, 100)
    first = await store.stored_between("private/", "private/g", 2)

    assert [row.id for row in found if row.id != public.id] == [row.id for row in rows[1:4]]
    assert len(first) == 2
    assert await store.stored_between("public/", "public/g", 100) == []
