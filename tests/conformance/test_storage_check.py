"""Rows and bytes held against each other, on every database and every place: what is found, and what is left alone."""

from __future__ import annotations

import asyncio
import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.database import Database
from chassis.errors import Unavailable
from services.storage.domain import (
    Asset,
    AssetNotFound,
    Picture,
    PictureLost,
    Problem,
    ProblemKind,
    Progress,
    State,
    new_key,
    new_upload_key,
)
from services.storage.store import DatabaseAssets
from services.storage.uploads_store import DatabaseUploads
from services.storage.usecases.checking import NOBODYS_AFTER
from tests.blob_places import Place
from tests.builders import NOON
from tests.crashing import Crash, Fuse, fused
from tests.pictures import a_picture
from tests.storage_parts import MIGRATIONS, Clock, Parts, an_item

PICTURE = a_picture(seed=1)
OLD = NOON - NOBODYS_AFTER
YOUNG = OLD + timedelta(seconds=1)


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS


@pytest.fixture
async def parts(database: Database, place: Place) -> Parts:
    clock = Clock()
    blobs = place.blobs(clock)
    await blobs.ping()
    return Parts(DatabaseAssets(database), DatabaseUploads(database), blobs, clock)


async def check(parts: Parts, *, repair: bool = False, reads: bool = True) -> tuple[list[Problem], Progress]:
    """What is wrong, in the order of kinds, and the sum."""
    news = [each async for each in parts.checking.check(repair=repair, reads=reads)]
    problems = [each for each in news if isinstance(each, Problem)]
    assert isinstance(news[-1], Progress)
    return sorted(problems, key=lambda problem: (problem.kind, problem.key)), news[-1]


async def kept(parts: Parts, *, is_public: bool = False) -> Asset:
    asset = await parts.keeper.keep(an_item(), PICTURE)
    return await parts.moves.change_side(asset, is_public=is_public)


async def test_where_all_is_well_nothing_is_found(parts: Parts) -> None:
    for is_public in (True, False, True):
        await kept(parts, is_public=is_public)
    deleted = await kept(parts)
    await parts.gallery.delete_asset("ada", deleted.id)

    assert await check(parts, repair=True) == ([], Progress(blobs=3, assets=3))


async def test_where_nothing_is_nothing_is_found(parts: Parts) -> None:
    assert await check(parts) == ([], Progress(0, 0))


async def test_bytes_without_a_row_are_deleted_when_they_are_old_enough(parts: Parts, place: Place) -> None:
    asset = await kept(parts)
    old, young = new_key(is_public=True), new_key(is_public=False)
    place.put(old, b"old", OLD)
    place.put(young, b"young", YOUNG)
    orphans = [Problem(ProblemKind.ORPHAN, key, None, size) for key, size in ((young, 5), (old, 3))]

    found, progress = await check(parts)
    assert (found, progress) == (orphans, Progress(blobs=3, assets=1))
    assert place.all_keys() == {asset.key, old, young}

    repaired, _ = await check(parts, repair=True)
    assert [(problem.key, problem.is_repaired) for problem in repaired] == [(young, False), (old, True)]
    assert place.all_keys() == {asset.key, young}
    assert await check(parts, repair=True) == (orphans[:1], Progress(blobs=2, assets=1))


async def test_what_is_not_named_by_us_is_shown_and_never_deleted(parts: Parts, place: Place) -> None:
    place.put("private/Somebody's own.txt", b"notes", OLD)

    found, _ = await check(parts, repair=True)

    assert found == [Problem(ProblemKind.ORPHAN, "private/Somebody's own.txt", None, 5)]
    assert place.all_keys() == {"private/Somebody's own.txt"}


async def test_bytes_that_came_back_after_their_asset_was_deleted_are_nobodys(parts: Parts, place: Place) -> None:
    asset = await kept(parts)
    await parts.gallery.delete_asset("ada", asset.id)
    place.put(asset.key, PICTURE, OLD)

    found, _ = await check(parts, repair=True)

    assert found == [Problem(ProblemKind.ORPHAN, asset.key, None, len(PICTURE), is_repaired=True)]
    assert place.all_keys() == set()


@pytest.mark.parametrize("is_public", [True, False])
async def test_an_asset_without_bytes_is_told_and_kept(parts: Parts, place: Place, is_public: bool) -> None:
    lost, other = await kept(parts, is_public=is_public), await kept(parts, is_public=is_public)
    place.take(lost.key)

    found, progress = await check(parts, repair=True)

    assert found == [Problem(ProblemKind.LOST, lost.key, lost.id, None)]
    assert progress == Progress(blobs=1, assets=2)
    row = await parts.store.get(lost.id)
    assert row is not None and row.state is State.STORED
    assert place.all_keys() == {other.key}


async def test_damaged_bytes_are_told_and_kept(parts: Parts, place: Place) -> None:
    short, swapped = await kept(parts), await kept(parts, is_public=True)
    place.put(short.key, PICTURE[:-1], OLD)
    place.put(swapped.key, PICTURE[:-1] + b"?", OLD)

    found, _ = await check(parts, repair=True)

    assert found == [
        Problem(ProblemKind.WRONG_HASH, swapped.key, swapped.id, len(PICTURE)),
        Problem(ProblemKind.WRONG_SIZE, short.key, short.id, len(PICTURE) - 1),
    ]
    assert place.all_keys() == {short.key, swapped.key}


async def test_uploads_are_held_against_their_bytes_too(parts: Parts, place: Place) -> None:
    asset, whole = await kept(parts), await parts.uploading.add("ada", PICTURE)
    lost, short, swapped = [(await parts.uploading.add("ada", PICTURE)).upload for _ in range(3)]
    gone = (await parts.uploading.add("ada", PICTURE)).upload
    await parts.uploading.delete("ada", gone.id)
    size, orphan = whole.upload.picture.file_size, new_upload_key()
    place.take(lost.key)
    place.put(short.key, b"short", OLD)
    place.put(swapped.key, b"?" * size, OLD)
    place.put(orphan, b"orphan", OLD)

    found, progress = await check(parts, repair=True)

    assert progress == Progress(blobs=5, assets=1, uploads=4)
    assert found == [
        Problem(ProblemKind.LOST, lost.key, None, None, upload_id=lost.id),
        Problem(ProblemKind.ORPHAN, orphan, None, 6, is_repaired=True),
        Problem(ProblemKind.WRONG_HASH, swapped.key, None, size, upload_id=swapped.id),
        Problem(ProblemKind.WRONG_SIZE, short.key, None, 5, upload_id=short.id),
    ]
    assert place.all_keys() == {asset.key, whole.upload.key, short.key, swapped.key}


async def test_a_quick_look_reads_nothing(parts: Parts, place: Place) -> None:
    short, swapped = await kept(parts), await kept(parts)
    place.put(short.key, b"", OLD)
    place.put(swapped.key, PICTURE[:-1] + b"?", OLD)

    found, _ = await check(parts, reads=False)

    assert [problem.kind for problem in found] == [ProblemKind.WRONG_SIZE]


async def test_what_is_on_its_way_is_no_problem_wherever_it_was_left(database: Database, parts: Parts) -> None:
    parts.clock.time = OLD
    steps, users = itertools.count(), itertools.count()
    crashed = True
    while crashed:
        crashed = False
        step = next(steps)
        shown, deleted = await kept(parts), await kept(parts)
        leaving = (await parts.uploading.add("ada", PICTURE)).upload
        for call in (
            lambda dying: dying.keeper.keep(an_item(), PICTURE),
            lambda dying, id=shown.id: dying.gallery.set_visibility("ada", id, is_public=True),
            lambda dying, id=deleted.id: dying.gallery.delete_asset("ada", id),
            lambda dying: dying.uploading.add(str(next(users)), PICTURE),
            lambda dying, id=leaving.id: dying.uploading.delete("ada", id),
        ):
            fuse = Fuse(step)
            dying = Parts(fused(parts.store, fuse), fused(parts.uploads, fuse), fused(parts.blobs, fuse), parts.clock)
            try:
                await call(dying)  # type: ignore[no-untyped-call]
            except Crash:
                crashed = True
    parts.clock.time = NOON

    found, _ = await check(parts, repair=True)

    assert found == []
    assert step > 5


async def test_more_rows_than_a_page_holds_without_bytes_are_all_found(parts: Parts) -> None:
    picture, keys = Picture("0" * 64, "image/png", 1, 1, 1), [new_key(is_public=False) for _ in range(250)]
    for key in keys:
        asset = await parts.store.begin(an_item(), picture, key, NOON)
        await parts.store.mark_stored(asset, NOON)

    found, progress = await check(parts)

    assert [(problem.kind, problem.key) for problem in found] == [(ProblemKind.LOST, key) for key in sorted(keys)]
    assert progress == Progress(blobs=0, assets=250)


async def test_while_everybody_goes_on_working_nothing_is_found_and_nothing_deleted(parts: Parts, place: Place) -> None:
    # Nothing is too young to be deleted here: only that everything is claimed protects it.
    parts.clock.advance(days=20_000)
    stays = [await kept(parts) for _ in range(4)]
    done = asyncio.Event()

    async def work(asset: Asset) -> None:
        for turn in range(6):
            await parts.gallery.set_visibility("ada", asset.id, is_public=turn % 2 == 0)
            gone = await kept(parts, is_public=turn % 2 == 1)
            await parts.gallery.delete_asset("ada", gone.id)
            brought = await parts.uploading.add("ada", PICTURE)
            await parts.uploading.delete("ada", brought.upload.id)

    async def look() -> list[Problem]:
        found = []
        while not done.is_set():
            found += (await check(parts, repair=True))[0]
        return found

    looking = asyncio.create_task(look())
    await asyncio.gather(*map(work, stays))
    done.set()

    assert await looking == []
    assert {(await parts.store.get(asset.id)).key for asset in stays} == place.all_keys()  # type: ignore[union-attr]


async def test_a_place_that_cannot_be_looked_at_is_no_reason_to_call_everything_lost(
    parts: Parts, place: Place
) -> None:
    for _ in range(3):
        await kept(parts)
    fuse = Fuse(2, Unavailable)
    failing = Parts(parts.store, parts.uploads, fused(parts.blobs, fuse), parts.clock)
    for key in place.all_keys():
        place.take(key)

    with pytest.raises(Unavailable):
        await check(failing)


@pytest.mark.parametrize("is_public", [True, False])
async def test_a_lost_picture_can_be_listed_and_deleted_and_says_what_it_is_when_it_is_opened(
    parts: Parts, place: Place, is_public: bool
) -> None:
    lost, other = await kept(parts, is_public=is_public), await kept(parts)
    place.take(lost.key)

    listed = await parts.gallery.list_assets(parts.everything())

    assert {linked.asset.id for linked in listed.assets} == {lost.id, other.id}
    if is_public:
        with pytest.raises(PictureLost):
            await parts.is_shared(lost.id)
    with pytest.raises(PictureLost) as told:
        await parts.gallery.set_visibility("ada", lost.id, is_public=not is_public)
    assert told.value.metadata == {"asset_id": lost.id}
    assert len((await parts.gallery.list_assets(parts.everything())).assets) == 2
    await parts.gallery.delete_asset("ada", lost.id)
    with pytest.raises(AssetNotFound):
        await parts.gallery.get_asset("ada", lost.id)
    assert (await check(parts))[0] == []
