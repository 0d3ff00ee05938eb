"""Every place for bytes does the same."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from services.storage.domain import BlobMissing, new_key
from services.storage.ports import Blobs
from tests.builders import NOON
from tests.storage_parts import exists, local_blobs

PNG = "image/png"
BYTES = bytes(range(256)) * 4000
"""Just under 1 MB."""


@pytest.fixture(params=["local"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """Each adapter in turn, its clock standing at noon."""
    return local_blobs(tmp_path / "blobs")


def a_private_key() -> str:
    return new_key(is_public=False)


def a_public_key() -> str:
    return new_key(is_public=True)


async def read(blobs: Blobs, key: str) -> list[bytes]:
    async with blobs.read(key) as chunks:
        return [chunk async for chunk in chunks]


async def test_what_was_written_is_read_in_chunks(blobs: Blobs) -> None:
    key = a_private_key()
    await blobs.write(key, BYTES, PNG)

    chunks = await read(blobs, key)

    assert b"".join(chunks) == BYTES
    assert all(64 * 1024 <= len(chunk) <= 256 * 1024 for chunk in chunks[:-1])
    assert len(chunks[-1]) <= 256 * 1024


async def test_what_was_never_written_is_missing(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing):
        await read(blobs, a_private_key())


async def test_writing_again_changes_nothing(blobs: Blobs) -> None:
    key = a_private_key()
    await blobs.write(key, BYTES, PNG)
    await blobs.write(key, BYTES, PNG)

    assert b"".join(await read(blobs, key)) == BYTES


async def test_a_reader_sees_all_or_nothing_while_it_is_written(blobs: Blobs) -> None:
    key = a_private_key()
    writing = asyncio.gather(*(blobs.write(key, BYTES, PNG) for _ in range(4)))

    while not writing.done():
        if await exists(blobs, key):
            assert b"".join(await read(blobs, key)) == BYTES
    await writing

    assert b"".join(await read(blobs, key)) == BYTES


@pytest.mark.parametrize("to_public", [True, False])
async def test_moved_bytes_are_under_the_next_key_alone(blobs: Blobs, to_public: bool) -> None:
    key, next_key = new_key(is_public=not to_public), new_key(is_public=to_public)
    await blobs.write(key, BYTES, PNG)

    await blobs.move(key, next_key)

    assert b"".join(await read(blobs, next_key)) == BYTES
    assert not await exists(blobs, key)


async def test_moving_again_changes_nothing(blobs: Blobs) -> None:
    key, next_key = a_private_key(), a_public_key()
    await blobs.write(key, BYTES, PNG)
    await blobs.move(key, next_key)

    await blobs.move(key, next_key)

    assert await exists(blobs, next_key)


async def test_several_movers_move_once(blobs: Blobs) -> None:
    key, next_key = a_private_key(), a_public_key()
    await blobs.write(key, BYTES, PNG)

    await asyncio.gather(*(blobs.move(key, next_key) for _ in range(4)))

    assert await exists(blobs, next_key)
    assert not await exists(blobs, key)


async def test_nothing_cannot_be_moved(blobs: Blobs) -> None:
    with pytest.raises(BlobMissing):
        await blobs.move(a_private_key(), a_public_key())


async def test_a_reader_who_began_before_a_move_or_a_deletion_reads_to_the_end(blobs: Blobs) -> None:
    key, next_key = a_private_key(), a_public_key()
    await blobs.write(key, BYTES, PNG)

    async with blobs.read(key) as chunks:
        first = await anext(chunks)
        await blobs.move(key, next_key)
        await blobs.delete(next_key)
        rest = [chunk async for chunk in chunks]

    assert first + b"".join(rest) == BYTES


async def test_deleted_bytes_are_gone_and_deleting_again_changes_nothing(blobs: Blobs) -> None:
    key, other = a_private_key(), a_private_key()
    await blobs.write(key, BYTES, PNG)
    await blobs.write(other, BYTES, PNG)

    await blobs.delete(key)
    await blobs.delete(key)

    assert not await exists(blobs, key)
    assert await exists(blobs, other)


async def test_a_private_key_has_a_link_that_ends_and_a_public_one_a_link_that_does_not(blobs: Blobs) -> None:
    private, public = a_private_key(), a_public_key()
    for key in (private, public):
        await blobs.write(key, BYTES, PNG)

    signed, stable = await blobs.links([private, public], 60)

    assert signed.expires_at == NOON + timedelta(seconds=60)
    assert private in signed.url
    assert stable.expires_at is None
    assert stable.url.endswith(f"/{public}")
    assert list(await blobs.links([public, private], 60)) == [stable, signed]
    assert list(await blobs.links([], 60)) == []


async def test_a_place_in_order_says_so(blobs: Blobs) -> None:
    await blobs.ping()


@pytest.mark.parametrize(
    "key",
    ["", "a", "private/", "private", "other/a", "private/../a", "private/a/b", "private/.a", "/private/a", "private/A"],
)
async def test_a_key_that_is_not_ours_is_a_bug(blobs: Blobs, key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        await blobs.write(key, b"", PNG)
    with pytest.raises(ValueError, match="not a key"):
        await read(blobs, key)
    with pytest.raises(ValueError, match="not a key"):
        await blobs.delete(key)
    with pytest.raises(ValueError, match="not a key"):
        await blobs.move(a_private_key(), key)
