"""How long links work that are shown with assets, or asked for, at every place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from chassis.database import Database
from services.storage.store import DatabaseAssets
from services.storage.uploads_store import DatabaseUploads
from tests.blob_places import Place
from tests.pictures import a_picture
from tests.storage_parts import MIGRATIONS, Clock, Parts, an_item


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS


@pytest.fixture
def parts(database: Database, place: Place) -> Parts:
    clock = Clock()
    return Parts(DatabaseAssets(database), DatabaseUploads(database), place.blobs(clock), clock)


async def test_a_link_that_is_asked_for_has_its_whole_life_before_it(parts: Parts) -> None:
    asset = await parts.keeper.keep(an_item(), a_picture())
    await parts.url(asset.id)
    parts.clock.advance(seconds=100)

    default = await parts.gallery.sign_link("ada", asset.id, None)
    short = await parts.gallery.sign_link("ada", asset.id, 60)

    assert default.expires_at == parts.clock.time + timedelta(hours=1)
    assert short.expires_at == parts.clock.time + timedelta(seconds=60)


async def test_a_link_that_is_shown_has_a_quarter_of_its_life_before_it(parts: Parts) -> None:
    asset = await parts.keeper.keep(an_item(), a_picture())

    for _ in range(12):
        parts.clock.advance(seconds=500)
        await parts.url(asset.id)
        [link] = await parts.blobs.links([asset.key], 3600, at_least=0)

        assert link.expires_at is not None
        assert timedelta(seconds=900) <= link.expires_at - parts.clock.time <= timedelta(hours=1)


async def test_the_links_of_an_asset_that_changes_sides_are_others_each_time(parts: Parts) -> None:
    asset = await parts.keeper.keep(an_item(), a_picture())
    urls = [await parts.url(asset.id)]

    for is_public in (True, False, True, False):
        await parts.gallery.set_visibility("ada", asset.id, is_public=is_public)
        urls.append(await parts.url(asset.id))

        assert [await parts.opens(url) for url in urls] == [False] * (len(urls) - 1) + [True]
    assert len(set(urls)) == 5
