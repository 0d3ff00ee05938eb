"""Blobs as files: whose they are, and what happens when the disk is in the way."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from chassis.errors import Unavailable
from services.storage.domain import PlaceUnfit, PlaceUnusable, new_key
from tests.storage_parts import exists, keys_on_disk, local_blobs

KEY = new_key(is_public=False)


async def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    blobs = local_blobs(tmp_path / "blobs")
    await blobs.write(KEY, b"picture", "image/png")

    assert (tmp_path / "blobs" / KEY).stat().st_mode & 0o777 == 0o600
    for directory in ("blobs", "blobs/private", "blobs/public", "blobs/drafts"):
        assert (tmp_path / directory).stat().st_mode & 0o777 == 0o700


async def test_bytes_outlive_the_process(tmp_path: Path) -> None:
    await local_blobs(tmp_path).write(KEY, b"picture", "image/png")

    assert await exists(local_blobs(tmp_path), KEY)


async def test_no_draft_is_left_behind(tmp_path: Path) -> None:
    blobs = local_blobs(tmp_path)
    await blobs.write(KEY, b"picture", "image/png")
    await blobs.ping()

    assert keys_on_disk(tmp_path) == {KEY}


async def test_a_disk_that_refuses_is_unavailable_and_leaves_nothing_behind(tmp_path: Path) -> None:
    blobs = local_blobs(tmp_path)
    shutil.rmtree(tmp_path / "private")

    with pytest.raises(Unavailable):
        await blobs.write(KEY, b"picture", "image/png")

    assert keys_on_disk(tmp_path) == set()


async def test_a_directory_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    blobs = local_blobs(tmp_path / "blobs")
    shutil.rmtree(tmp_path / "blobs")

    with pytest.raises(Unavailable):
        await blobs.ping()
    with pytest.raises(Unavailable):
        await blobs.delete(KEY)
    with pytest.raises(Unavailable):
        await blobs.move(KEY, new_key(is_public=True))
    with pytest.raises(Unavailable):
        await blobs.read(KEY).__aenter__()


async def test_what_a_crash_left_behind_is_swept_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    local_blobs(tmp_path)
    old, new = tmp_path / "drafts" / "old", tmp_path / "drafts" / "new"
    for draft in (old, new):
        draft.write_bytes(b"half a pic")
    two_hours_ago = time.time() - 7200
    os.utime(old, (two_hours_ago, two_hours_ago))

    local_blobs(tmp_path)

    assert keys_on_disk(tmp_path) == {"drafts/new"}


async def test_a_disk_that_may_not_be_written_is_unfit_until_somebody_mends_it(tmp_path: Path) -> None:
    blobs = local_blobs(tmp_path / "blobs")
    drafts = tmp_path / "blobs" / "drafts"
    drafts.rmdir()
    drafts.symlink_to("/sys")  # nobody may write there, root neither

    for call in (blobs.write(KEY, b"picture", "image/png"), blobs.ping()):
        with pytest.raises(PlaceUnfit) as told:
            await call
        assert isinstance(told.value.__cause__, OSError)
    drafts.unlink()
    drafts.mkdir()

    await blobs.write(KEY, b"picture", "image/png")


async def test_a_disk_that_is_away_may_come_back(tmp_path: Path) -> None:
    blobs = local_blobs(tmp_path / "blobs")
    shutil.rmtree(tmp_path / "blobs")

    with pytest.raises(PlaceUnusable) as told:
        await blobs.ping()

    assert not isinstance(told.value, PlaceUnfit)
