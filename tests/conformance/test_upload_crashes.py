"""Whatever step a process dies at while a user brings a picture or takes it away: nothing is left of it but the whole.

On every database, and every place for bytes.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.database import Database
from chassis.errors import Invalid, Unavailable
from services.storage.domain import State
from services.storage.store import DatabaseAssets
from services.storage.upload_domain import MAX_UPLOADS, Upload, UploadLimitReached, UploadLost, UploadNotFound
from services.storage.uploads_store import DatabaseUploads
from services.storage.usecases.uploading import PENDING_FOR
from tests.blob_places import LocalPlace, Place
from tests.crashing import Crash, Fuse, fused
from tests.pictures import a_picture
from tests.storage_parts import MIGRATIONS, Clock, Parts

PICTURE = a_picture()
Call = Callable[[Parts], Awaitable[object]]
BOTH = pytest.mark.parametrize("error", [Crash, Unavailable], ids=["crash", "fault"])


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS


class Processes:
    """One after another, over the same database and the same place."""

    def __init__(self, database: Database, place: Place) -> None:
        self._database = database
        self.place = place
        self.clock = Clock()
        self.parts = self.another()

    def another(self, fuse: Fuse | None = None) -> Parts:
        assets, uploads = DatabaseAssets(self._database), DatabaseUploads(self._database)
        blobs = self.place.blobs(self.clock)
        if fuse is None:
            return Parts(assets, uploads, blobs, self.clock)
        return Parts(fused(assets, fuse), fused(uploads, fuse), fused(blobs, fuse), self.clock)

    async def dies(self, call: Call, step: int, error: type[BaseException]) -> bool:
        """Whether the call got as far as that step; there, its process died."""
        fuse = Fuse(step, error)
        try:
            await call(self.another(fuse))
        except error:
            return True
        return False

    async def rows(self) -> list[Upload]:
        rows = await self._database.fetch("SELECT id FROM uploads ORDER BY id")
        return [upload for row in rows if (upload := await self.parts.uploads.get(row["id"])) is not None]


@pytest.fixture
def processes(database: Database, place: Place) -> Processes:
    return Processes(database, place)


def bring(parts: Parts) -> Awaitable[object]:
    return parts.uploading.add("ada", PICTURE)


@BOTH
async def test_a_picture_whose_coming_was_cut_short_is_cleared_away_when_nobody_can_be_writing_it(
    processes: Processes, error: type[BaseException]
) -> None:
    seen = set()
    for step in itertools.count():
        if not await processes.dies(bring, step, error):
            break
        seen |= {row.state for row in await processes.rows()}
    before = await processes.rows()
    await processes.parts.recovery.recover()
    assert {row.id for row in await processes.rows()} == {row.id for row in before if row.state is not State.DELETING}

    processes.clock.advance(seconds=PENDING_FOR.total_seconds() + 1)
    await processes.parts.recovery.recover()

    rows = await processes.rows()
    assert step >= 6
    assert {row.state for row in rows} == {State.STORED}
    assert processes.place.all_keys() == {row.key for row in rows}
    if error is Crash:
        assert State.WRITING in seen
        # The whole one, and the ones that were whole when their process died.
        assert len(rows) == 4
    else:
        # Whoever was told that it cannot be done has nothing of it.
        assert len(rows) == 1


async def test_a_picture_that_could_not_be_kept_leaves_nothing_behind_at_once(processes: Processes) -> None:
    parts = processes.parts
    await parts.blobs.ping()
    failing = Parts(parts.store, parts.uploads, fused(parts.blobs, Fuse(0, Unavailable)), parts.clock)

    with pytest.raises(Unavailable):
        await failing.uploading.add("ada", PICTURE)

    assert await processes.rows() == []
    assert processes.place.all_keys() == set()


@BOTH
@pytest.mark.parametrize("by_access", [True, False], ids=["deleted again", "restart"])
async def test_a_deletion_that_was_cut_short_is_finished(
    processes: Processes, by_access: bool, error: type[BaseException]
) -> None:
    for step in itertools.count():
        linked = await processes.parts.uploading.add("ada", PICTURE)
        upload_id = linked.upload.id
        if not await processes.dies(lambda parts, id=upload_id: parts.uploading.delete("ada", id), step, error):  # type: ignore[misc]
            break
        row = await processes.parts.uploads.get(upload_id)
        was_begun = row is None or row.state is not State.STORED
        if was_begun:
            with pytest.raises(UploadNotFound):
                await processes.parts.uploading.get("ada", upload_id)
        if row is not None and by_access:
            await processes.another().uploading.delete("ada", upload_id)
        else:
            await processes.another().recovery.recover()
        assert was_begun or by_access or await processes.parts.opens(linked.url)
        if not was_begun and not by_access:
            await processes.parts.uploading.delete("ada", upload_id)

        assert await processes.rows() == []
        assert processes.place.all_keys() == set()
        assert not await processes.parts.opens(linked.url)
    assert step >= 8


async def test_one_that_comes_too_late_to_be_kept_leaves_nothing_behind(processes: Processes) -> None:
    """Its process was paused between row and bytes, for so long that its row was cleared away."""

    class Paused:
        def __init__(self, parts: Parts) -> None:
            self._parts = parts

        def __getattr__(self, name: str) -> object:
            return getattr(self._parts.blobs, name)

        async def write(self, key: str, data: bytes, content_type: str) -> None:
            self._parts.clock.advance(seconds=PENDING_FOR.total_seconds() + 1)
            await self._parts.recovery.recover()
            await self._parts.blobs.write(key, data, content_type)

    parts = processes.parts
    late = Parts(parts.store, parts.uploads, Paused(parts), parts.clock)  # type: ignore[arg-type]

    with pytest.raises(Unavailable):
        await late.uploading.add("ada", PICTURE)

    assert await processes.rows() == []
    assert processes.place.all_keys() == set()


async def test_what_is_no_picture_writes_nothing(processes: Processes) -> None:
    with pytest.raises(Invalid, match="data: must be a whole picture"):
        await processes.parts.uploading.add("ada", PICTURE[:-20])

    assert await processes.rows() == []
    assert processes.place.all_keys() == set()


async def test_one_too_many_writes_nothing(processes: Processes) -> None:
    for _ in range(MAX_UPLOADS):
        await processes.parts.uploading.add("ada", PICTURE)

    with pytest.raises(UploadLimitReached):
        await processes.parts.uploading.add("ada", PICTURE)

    assert len(processes.place.all_keys()) == len(await processes.rows()) == MAX_UPLOADS


async def test_what_is_kept_opens_by_its_link_until_that_ends(processes: Processes) -> None:
    linked = await processes.parts.uploading.add("ada", PICTURE)

    assert await processes.parts.opens(linked.url)
    assert not await processes.parts.opens(linked.url.partition("?")[0])
    if "studio.example" in linked.url:  # else it is somebody else's clock that counts
        processes.clock.time += timedelta(seconds=3601)
        assert not await processes.parts.opens(linked.url)


async def test_an_upload_whose_bytes_are_gone_says_so_and_can_be_deleted(processes: Processes, place: Place) -> None:
    linked = await processes.parts.uploading.add("ada", PICTURE)
    place.take(linked.upload.key)

    with pytest.raises(UploadLost) as told:
        async with processes.parts.uploading.open("ada", linked.upload.id):
            pass
    if isinstance(place, LocalPlace):  # the other one answers for itself
        with pytest.raises(UploadLost):
            await processes.parts.opens(linked.url)
    await processes.parts.uploading.delete("ada", linked.upload.id)

    assert told.value.metadata == {"upload_id": linked.upload.id}
    assert await processes.rows() == []
