"""Every place for renders does the same."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.renders import FileRenders, ObjectStoreRenders, RenderMissing, Renders
from tests.nats import NatsServer
from tests.queueing import open_queue

PICTURE = bytes(range(256)) * 6000
"""1.5 MB: more than one message may hold."""
ALWAYS = timedelta(seconds=-1)
"""An age that even a new render exceeds."""


@pytest.fixture(params=["files", "object_store"])
async def renders(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Renders]:
    if request.param == "files":
        yield FileRenders(tmp_path / "renders")
    else:
        nats: NatsServer = request.getfixturevalue("nats")
        async with open_queue(nats.url) as queue:
            yield ObjectStoreRenders(queue)


@pytest.mark.parametrize("data", [PICTURE, b"small", b""], ids=["large", "small", "empty"])
async def test_what_was_put_is_got(renders: Renders, data: bytes) -> None:
    await renders.put("a-1.png", data)

    assert await renders.get("a-1.png") == data


async def test_a_place_that_has_room_says_so(renders: Renders) -> None:
    await renders.require_room()


async def test_putting_the_same_key_again_replaces(renders: Renders) -> None:
    await renders.put("a", PICTURE)
    await renders.put("a", b"new")

    assert await renders.get("a") == b"new"


async def test_a_reader_sees_the_old_or_the_new_and_nothing_between(renders: Renders) -> None:
    versions = [bytes([number]) * 600_000 for number in range(8)]
    await renders.put("a", versions[0])

    async def replace() -> None:
        for version in versions:
            await renders.put("a", version)

    replacing = asyncio.create_task(replace())
    seen = [await renders.get("a")]
    while not replacing.done():
        seen.append(await renders.get("a"))

    await replacing
    assert all(picture in versions for picture in seen)


async def test_puts_of_one_key_at_once_leave_one_of_them(renders: Renders) -> None:
    versions = [bytes([number]) * 1000 for number in range(8)]

    await asyncio.gather(*(renders.put("a", version) for version in versions))

    assert await renders.get("a") in versions


async def test_nothing_under_a_key_is_missing(renders: Renders) -> None:
    with pytest.raises(RenderMissing):
        await renders.get("a")


async def test_what_was_deleted_is_missing(renders: Renders) -> None:
    await renders.put("a", PICTURE)

    await renders.delete("a")

    with pytest.raises(RenderMissing):
        await renders.get("a")


async def test_deleting_twice_is_no_error(renders: Renders) -> None:
    await renders.put("a", b"small")

    await renders.delete("a")
    await renders.delete("a")
    await renders.delete("never-there")

    with pytest.raises(RenderMissing):
        await renders.get("a")


async def test_a_deleted_key_may_be_used_again(renders: Renders) -> None:
    await renders.put("a", b"old")
    await renders.delete("a")
    await renders.put("a", b"new")

    assert await renders.get("a") == b"new"


async def test_the_keys_of_what_is_old_are_told(renders: Renders) -> None:
    for key in ("a", "b", "c"):
        await renders.put(key, b"small")
    await renders.delete("b")

    assert set(await renders.keys(ALWAYS)) == {"a", "c"}
    assert not await renders.keys(timedelta(hours=1))


async def test_a_sweep_removes_what_is_old_and_says_how_many(renders: Renders) -> None:
    await renders.put("a", b"old")
    await renders.put("b", b"old")
    await renders.delete("b")
    await renders.put("c", b"old")

    assert await renders.sweep(ALWAYS) == 2

    with pytest.raises(RenderMissing):
        await renders.get("a")


async def test_a_sweep_keeps_what_is_new(renders: Renders) -> None:
    await renders.put("a", b"new")

    assert await renders.sweep(timedelta(hours=1)) == 0

    assert await renders.get("a") == b"new"


async def test_sweeping_an_empty_place_removes_nothing(renders: Renders) -> None:
    assert await renders.sweep(ALWAYS) == 0


@pytest.mark.parametrize(
    "key", ["", ".", "..", ".hidden", "-x", "../a", "a/b", "A", "a b", "a\n", "a\0", "ä", "a*", "a>", "x" * 129]
)
async def test_a_key_that_could_be_a_path_or_a_pattern_is_refused(renders: Renders, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await renders.put(key, b"x")
    with pytest.raises(ValueError, match="not a key"):
        await renders.get(key)
    with pytest.raises(ValueError, match="not a key"):
        await renders.delete(key)


async def test_the_longest_key_is_a_key(renders: Renders) -> None:
    await renders.put("x" * 128, b"small")

    assert await renders.get("x" * 128) == b"small"
