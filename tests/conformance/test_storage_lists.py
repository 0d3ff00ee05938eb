"""Lists of assets in either database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.database import Database
from services.storage.domain import Asset, Filter, Item, Picture, new_key
from services.storage.store import DatabaseAssets
from tests.builders import NOON
from tests.storage_parts import MIGRATIONS, an_item

PICTURE = Picture("a" * 64, "image/png", 1280, 720, 123_456)


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS


@pytest.fixture
def store(database: Database) -> DatabaseAssets:
    return DatabaseAssets(database)


async def begun(store: DatabaseAssets, item: Item | None = None) -> Asset:
    return await store.begin(item or an_item(), PICTURE, new_key(is_public=False), NOON)


async def stored(store: DatabaseAssets, item: Item | None = None, *, minute: int = 0) -> Asset:
    asset = await store.mark_stored(await begun(store, item), NOON + timedelta(minutes=minute))
    assert asset is not None
    return asset


def wanted(user_id: str | None = None, **changes: Any) -> Filter:
    """The first page of all there is, but for the changes."""
    return replace(Filter(user_id, asset_type=None, job_id=None, limit=20, offset=0), **changes)


async def test_a_list_shows_a_users_stored_assets_newest_first(store: DatabaseAssets) -> None:
    old, new = await stored(store, minute=1), await stored(store, minute=2)
    await stored(store, an_item("eve"))
    await begun(store)
    await store.begin_removal((await stored(store)).id)

    assert await store.matching(wanted("ada")) == ([new, old], 2)


async def test_assets_of_one_moment_have_one_order_on_all_pages(store: DatabaseAssets) -> None:
    assets = [await stored(store) for _ in range(7)]

    pages = [await store.matching(wanted("ada", limit=2, offset=offset)) for offset in (0, 2, 4, 6, 8)]

    listed = [asset.id for page, _ in pages for asset in page]
    assert listed == sorted((asset.id for asset in assets), reverse=True)
    assert {total for _, total in pages} == {7}


async def test_a_list_can_be_narrowed(store: DatabaseAssets) -> None:
    banner = await stored(store, an_item(asset_type="banner"))
    thumbnail = await stored(store, an_item(asset_type="thumbnail"))

    assert await store.matching(wanted("ada", asset_type="banner")) == ([banner], 1)
    assert await store.matching(wanted("ada", asset_type="emote")) == ([], 0)
    assert await store.matching(wanted("ada", job_id=thumbnail.item.job_id)) == ([thumbnail], 1)
    assert await store.matching(wanted("eve", job_id=thumbnail.item.job_id)) == ([], 0)


async def test_a_service_sees_everybodys(store: DatabaseAssets) -> None:
    hers, his = await stored(store, minute=1), await stored(store, an_item("bob"), minute=2)

    assert await store.matching(wanted()) == ([his, hers], 2)
    assert await store.matching(wanted(job_id=hers.item.job_id)) == ([hers], 1)
