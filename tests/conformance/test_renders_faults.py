"""What is particular to one place for renders: what it leaves on disk, and how it fails."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.errors import Unavailable
from chassis.renders import FileRenders, ObjectStoreRenders, RenderMissing
from tests.nats import NatsServer
from tests.queueing import open_queue, reconnected

ALWAYS = timedelta(seconds=-1)


async def test_files_are_for_the_owner_alone(tmp_path: Path) -> None:
    renders = FileRenders(tmp_path / "renders")

    await renders.put("a", b"small")

    assert stat.S_IMODE((tmp_path / "renders" / "a").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "renders").stat().st_mode) == 0o700


async def test_nothing_but_the_render_is_left_in_the_directory(tmp_path: Path) -> None:
    renders = FileRenders(tmp_path)

    await renders.put("a", b"old")
    await renders.put("a", b"new")

    assert _names(tmp_path) == ["a"]


async def test_a_sweep_removes_the_drafts_a_crash_left(tmp_path: Path) -> None:
    (tmp_path / ".a.0123456789abcdef").write_bytes(b"half")
    renders = FileRenders(tmp_path)

    assert await renders.sweep(ALWAYS) == 1

    assert _names(tmp_path) == []


async def test_a_directory_that_is_gone_is_unavailable_and_not_empty(tmp_path: Path) -> None:
    renders = FileRenders(tmp_path / "renders")
    (tmp_path / "renders").rmdir()

    with pytest.raises(Unavailable):
        await renders.require_room()
    with pytest.raises(Unavailable):
        await renders.put("a", b"small")
    with pytest.raises(Unavailable):
        await renders.get("a")


async def test_a_failed_put_leaves_what_was_there(tmp_path: Path) -> None:
    renders = FileRenders(tmp_path)
    (tmp_path / "a").mkdir()

    with pytest.raises(Unavailable):
        await renders.put("a", b"small")

    assert _names(tmp_path) == ["a"]


async def test_an_object_store_without_nats_is_unavailable(nats: NatsServer) -> None:
    async with open_queue(nats.url) as queue:
        renders = ObjectStoreRenders(queue)
        await renders.put("a", b"small")
        nats.kill()

        with pytest.raises(Unavailable):
            await renders.require_room()
        with pytest.raises(Unavailable):
            await renders.put("a", b"small")
        with pytest.raises(Unavailable):
            await renders.get("a")
        with pytest.raises(Unavailable):
            await renders.delete("a")


async def test_an_object_outlives_a_crash_of_nats(nats: NatsServer) -> None:
    async with open_queue(nats.url) as queue:
        renders = ObjectStoreRenders(queue)
        await renders.put("a", b"small")

        nats.kill()
        nats.start()
        await reconnected(queue)

        assert await renders.get("a") == b"small"


async def test_an_object_whose_bytes_are_gone_is_missing(nats: NatsServer) -> None:
    async with open_queue(nats.url) as queue:
        renders = ObjectStoreRenders(queue)
        await renders.put("a", b"small")
        async with queue.jetstream() as jetstream:
            await jetstream.purge_stream("OBJ_renders", subject="$O.renders.C.>")

        with pytest.raises(RenderMissing):
            await renders.get("a")


async def test_a_bucket_takes_on_a_new_time_to_live(nats: NatsServer) -> None:
    async with open_queue(nats.url) as queue:
        await ObjectStoreRenders(queue, ttl=timedelta(hours=1)).put("a", b"small")

        renders = ObjectStoreRenders(queue, ttl=timedelta(hours=2))
        await renders.put("b", b"small")

        assert [await renders.get("a"), await renders.get("b")] == [b"small", b"small"]
        async with queue.jetstream() as jetstream:
            assert (await jetstream.stream_info("OBJ_renders")).config.max_age == 7200


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]
