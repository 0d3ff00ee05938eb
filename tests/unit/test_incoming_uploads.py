"""A user's picture on its way in: how much of it is read, for how long, and how many at once."""

from __future__ import annotations

import asyncio
import errno
import io
from collections.abc import AsyncIterator

import pytest
from google.api.httpbody_pb2 import HttpBody

from chassis.errors import Invalid, Unavailable
from services.storage.places import Places
from services.storage.upload_domain import MAX_UPLOAD_BYTES, MAX_UPLOADS, TooManyAtOnce, UploadTooLarge
from services.storage.uploads import HEARD_OUT, read_image, waiting_room

PIECE = 2**20


class Stream:
    """Pieces of one size; remembers how many were asked for."""

    def __init__(self, size: int, last: bytes = b"") -> None:
        self.left = size // PIECE
        self.last = last
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[HttpBody]:
        for _ in range(self.left):
            self.read += 1
            yield HttpBody(data=b"a" * PIECE)
        yield HttpBody(data=self.last)


async def test_what_fits_is_read_to_its_last_byte() -> None:
    with waiting_room() as file:
        await read_image(Stream(MAX_UPLOAD_BYTES - PIECE, b"b" * PIECE), file)

        assert file.read() == b"a" * 9 * PIECE + b"b" * PIECE


async def test_one_byte_too_many_is_too_large() -> None:
    with pytest.raises(UploadTooLarge):
        await read_image(Stream(MAX_UPLOAD_BYTES, b"b"), io.BytesIO())


async def test_what_never_ends_is_left_unread_from_some_point_on() -> None:
    stream, file = Stream(100 * MAX_UPLOAD_BYTES), io.BytesIO()

    with pytest.raises(UploadTooLarge):
        await read_image(stream, file)

    assert stream.read == HEARD_OUT // PIECE + 1
    assert len(file.getvalue()) == MAX_UPLOAD_BYTES


async def test_nothing_is_no_picture() -> None:
    with pytest.raises(Invalid, match="data: must be a picture, and is empty"):
        await read_image(Stream(0), io.BytesIO())


async def test_what_does_not_arrive_is_not_waited_for() -> None:
    async def hanging() -> AsyncIterator[HttpBody]:
        yield HttpBody(data=b"a")
        await asyncio.Event().wait()

    with pytest.raises(Invalid, match=r"data: must arrive within 0\.01 seconds"):
        await read_image(hanging(), io.BytesIO(), within=0.01)


async def test_a_full_disk_is_not_the_callers_fault() -> None:
    with pytest.raises(Unavailable, match="there is no room"), waiting_room() as file:
        await read_image(Stream(PIECE), file)
        raise OSError(errno.ENOSPC, "no space left on device")


class Crowd:
    """Users who want places, and how many have one."""

    def __init__(self, count: int) -> None:
        self.places = Places(count)
        self.inside: list[str] = []
        self.leave = asyncio.Event()

    async def come(self, user_id: str) -> None:
        async with self.places.taken_by(user_id):
            self.inside.append(user_id)
            await self.leave.wait()
            self.inside.remove(user_id)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_so_many_are_let_in_and_each_user_once() -> None:
    crowd = Crowd(3)
    coming = [asyncio.create_task(crowd.come(name)) for name in ["ada"] * 5 + ["bob", "eve", "dan"]]

    await settle()
    assert crowd.inside == ["ada", "bob", "eve"]

    crowd.leave.set()
    await asyncio.gather(*coming)
    assert crowd.inside == []


async def test_one_who_leaves_while_waiting_takes_no_place() -> None:
    crowd = Crowd(2)
    first, second, third = (asyncio.create_task(crowd.come(name)) for name in ("ada", "ada", "ada"))
    await settle()

    second.cancel()
    crowd.leave.set()
    await asyncio.gather(first, third)
    await asyncio.gather(second, return_exceptions=True)

    assert second.cancelled()
    crowd.leave.clear()
    coming = [asyncio.create_task(crowd.come(name)) for name in ("ada", "bob")]
    await settle()
    assert crowd.inside == ["ada", "bob"]
    crowd.leave.set()
    await asyncio.gather(*coming)


async def test_more_at_once_than_a_user_may_keep_or_than_all_may_bring_wait_nowhere() -> None:
    crowd = Crowd(1)
    crowd.places = Places(1, most_waiting=MAX_UPLOADS + 2)
    coming = [asyncio.create_task(crowd.come(name)) for name in ["ada"] * MAX_UPLOADS + ["bob", "eve"]]
    await settle()

    with pytest.raises(TooManyAtOnce):
        await crowd.come("ada")
    with pytest.raises(Unavailable):
        await crowd.come("dan")

    crowd.leave.set()
    await asyncio.gather(*coming)
    await crowd.come("ada")
