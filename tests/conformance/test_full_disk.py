"""What writes to a disk when that is full: it says so, leaves nothing half done, and goes on when there is room."""

from __future__ import annotations

import asyncio

import pytest

from chassis.database import open_database
from chassis.errors import Unavailable
from chassis.patience import describe
from chassis.renders import FileRenders
from deploy.local.room import watch_room
from services.storage.domain import new_key
from tests.disks import MIB, SmallDisk, on_a_small_disk
from tests.queueing import eventually
from tests.storage_parts import exists, keys_on_disk, local_blobs

PICTURE = bytes(MIB)


@on_a_small_disk(8 * MIB)
async def test_a_database_refuses_writes_and_answers_reads(disk: SmallDisk) -> None:
    database = await open_database(f"sqlite://{disk.path}/full.db", schema="any")
    await database.execute("CREATE TABLE notes(number BIGINT PRIMARY KEY, text TEXT)")
    disk.fill()

    written = 0
    with pytest.raises(Unavailable) as full:
        while True:
            async with database.transaction() as transaction:
                await transaction.execute("INSERT INTO notes VALUES ($1, $2)", written, "x" * 5000)
            written += 1
    assert "disk is full" in describe(full.value)
    assert len(await database.fetch("SELECT number FROM notes")) == written
    await database.ping()

    disk.make_room()
    assert await database.execute("INSERT INTO notes VALUES ($1, $2)", written, "room again") == 1
    await database.close()


@on_a_small_disk(8 * MIB)
async def test_a_database_that_cannot_be_made_is_unavailable_until_it_can(disk: SmallDisk) -> None:
    url = f"sqlite://{disk.path}/new/full.db"
    disk.fill()

    for _ in range(2):
        with pytest.raises(Unavailable):
            await open_database(url, schema="any")

    disk.make_room()
    await (await open_database(url, schema="any")).close()


@on_a_small_disk(24 * MIB)
async def test_renders_and_blobs_are_whole_or_not_there(disk: SmallDisk) -> None:
    renders, blobs = FileRenders(disk.path / "renders"), local_blobs(disk.path / "blobs")
    old, new = new_key(is_public=False), new_key(is_public=False)
    await renders.require_room()
    await renders.put("a", PICTURE)
    await blobs.write(old, PICTURE, "image/png")
    disk.fill()

    with pytest.raises(Unavailable):
        await renders.require_room()
    with pytest.raises(Unavailable):
        await renders.put("b", PICTURE)
    with pytest.raises(Unavailable):
        await blobs.write(new, PICTURE, "image/png")
    with pytest.raises(Unavailable):
        await blobs.ping()
    assert await renders.get("a") == PICTURE
    assert [path.name for path in (disk.path / "renders").iterdir()] == ["a"]
    assert keys_on_disk(disk.path / "blobs") == {old}

    await renders.delete("a")
    disk.make_room()
    await blobs.write(new, PICTURE, "image/png")
    assert await exists(blobs, new)


@on_a_small_disk(24 * MIB)
async def test_a_person_is_told_of_a_full_disk_once_and_of_its_end(disk: SmallDisk) -> None:
    said: list[str] = []
    watching = asyncio.create_task(watch_room(disk.path, said.append, look_every=0.01))

    for change in (disk.fill, disk.make_room):
        lines = len(said)
        change()

        async def told(lines: int = lines) -> bool:
            return len(said) > lines

        await eventually(told)
    watching.cancel()

    assert said == [
        f"the disk of {disk.path} is full: until 16 MiB are free, jobs wait",
        f"the disk of {disk.path} has room again",
    ]
