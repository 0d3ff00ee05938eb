"""Every place for bytes does the same, also when requests to it go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from services.storage.domain import PRIVATE, PUBLIC, SIDES, UPLOADS, BlobMissing, new_key, new_upload_key
from services.storage.ports import Blobs
from tests.blob_places import HASTE, PATIENCE, Place, SupabasePlace, open_place
from tests.builders import NOON
from tests.fakes.http_server import Hang, Hangup
from tests.fakes.supabase import Fault, done_but, instead
from tests.fakes.supabase_answers import database_down, database_slow, too_many_connections
from tests.storage_parts import Clock, exists

PNG = "image/png"
BYTES = bytes(range(256)) * 4000
"""Just under 1 MB."""
FAULTS: dict[str, Sequence[Fault]] = {
    "supabase, 500": [done_but(database_down()), instead(database_down())],
    "supabase, 544": [done_but(database_slow()), instead(database_slow())],
    "supabase, 429": [instead(too_many_connections())] * 2,
    "supabase, hangs": [done_but(Hang()), instead(Hang())],
    "supabase, hangs up": [done_but(Hangup()), instead(Hangup())],
}
"""How the first two requests of each kind go wrong."""


@pytest.fixture(params=["local", "supabase", *FAULTS])
def how(request: pytest.FixtureRequest) -> str:
    """Each adapter in turn, and what befalls it."""
    return str(request.param)


@pytest.fixture
async def place(how: str, tmp_path: Path) -> AsyncIterator[Place]:
    patience = HASTE if how == "supabase, hangs" else PATIENCE
    async with open_place(how.partition(",")[0], tmp_path / "blobs", patience) as place:
        yield place


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def blobs(how: str, place: Place, clock: Clock) -> Blobs:
    """As in a service that has said it is ready; its clock stands at noon."""
    blobs = place.blobs(clock)
    await blobs.ping()
    if isinstance(place, SupabasePlace):
        place.storage.faults_of_each = FAULTS.get(how, ())
    return blobs


def a_private_key() -> str:
    return new_key(is_public=False)


def a_public_key() -> str:
    return new_key(is_public=True)


BY_LINK_ALONE = pytest.mark.parametrize("new", [a_private_key, new_upload_key], ids=[PRIVATE, UPLOADS])
"""What nobody reads without a signed link."""


async def read(blobs: Blobs, key: str) -> list[bytes]:
    async with blobs.read(key) as chunks:
        return [chunk async for chunk in chunks]


@BY_LINK_ALONE
async def test_what_was_written_is_read_in_chunks(blobs: Blobs, new: Callable[[], str]) -> None:
    key = new()
    await blobs.write(key, BYTES, PNG)

    chunks = await read(blobs, key)

    assert b"".join(chunks) == BYTES
    assert all(64 * 1024 <= len(chunk) <= 256 * 1024 for chunk in chunks[:-1])
    assert len(chunks[-1]) <= 256 * 1024


@BY_LINK_ALONE
async def test_what_was_never_written_is_missing(blobs: Blobs, new: Callable[[], str]) -> None:
    with pytest.raises(BlobMissing):
        await read(blobs, new())


@BY_LINK_ALONE
async def test_writing_again_changes_nothing(blobs: Blobs, new: Callable[[], str]) -> None:
    key = new()
    await blobs.write(key, BYTES, PNG)
    await blobs.write(key, BYTES, PNG)

    assert b"".join(await read(blobs, key)) == BYTES


@BY_LINK_ALONE
async def test_a_reader_sees_all_or_nothing_while_it_is_written(blobs: Blobs, new: Callable[[], str]) -> None:
    key = new()
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


@BY_LINK_ALONE
async def test_deleted_bytes_are_gone_and_deleting_again_changes_nothing(blobs: Blobs, new: Callable[[], str]) -> None:
    key, other = new(), new()
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

    signed, stable = await blobs.links([private, public], 60, at_least=60)

    assert signed.expires_at == NOON + timedelta(seconds=60)
    assert private.partition("/")[2] in signed.url
    assert stable.expires_at is None
    assert stable.url.endswith(f"public/{public.partition('/')[2]}")
    assert list(await blobs.links([public, private], 60, at_least=60)) == [stable, signed]
    assert list(await blobs.links([], 60, at_least=60)) == []


async def test_links_to_all_sides_are_given_in_one_call(blobs: Blobs) -> None:
    keys = [new_upload_key(), a_public_key(), a_private_key(), new_upload_key()]
    for key in keys:
        await blobs.write(key, BYTES, PNG)

    links = await blobs.links(keys, 60, at_least=60)

    ends = [NOON + timedelta(seconds=60), None, NOON + timedelta(seconds=60), NOON + timedelta(seconds=60)]
    assert [link.expires_at for link in links] == ends
    assert all(key.partition("/")[2] in link.url for key, link in zip(keys, links, strict=True))


async def test_an_upload_is_shown_to_nobody_who_only_knows_its_key(place: Place, blobs: Blobs) -> None:
    key = new_upload_key()
    await blobs.write(key, BYTES, PNG)

    assert not await place.shows(key)


async def test_a_link_is_never_given_that_works_for_less_than_was_asked_for(blobs: Blobs, clock: Clock) -> None:
    key = a_private_key()
    await blobs.write(key, BYTES, PNG)

    for seconds in range(0, 300, 50):
        clock.time = NOON + timedelta(seconds=seconds)
        for at_least in (30, 100):
            [link] = await blobs.links([key], 100, at_least)
            assert link.expires_at is not None
            assert timedelta(seconds=at_least) <= link.expires_at - clock.time <= timedelta(seconds=100)


async def test_a_key_without_bytes_has_a_link_like_any_other(blobs: Blobs) -> None:
    there, lost, public = a_private_key(), a_private_key(), a_public_key()
    await blobs.write(there, BYTES, PNG)

    links = await blobs.links([lost, there, public], 60, at_least=60)

    assert len({link.url for link in links}) == 3


@BY_LINK_ALONE
async def test_what_is_there_is_found_with_its_size(blobs: Blobs, new: Callable[[], str]) -> None:
    there = new()
    await blobs.write(there, BYTES, PNG)

    found = await blobs.find(there)

    assert found is not None
    assert (found.key, found.size) == (there, len(BYTES))
    assert await blobs.find(new()) is None


@pytest.mark.parametrize(("side", "new"), [(PUBLIC, a_public_key), (UPLOADS, new_upload_key)], ids=[PUBLIC, UPLOADS])
async def test_all_there_is_on_one_side_is_listed_in_pages_and_in_order(
    place: Place, blobs: Blobs, side: str, new: Callable[[], str]
) -> None:
    keys = [new() for _ in range(1203)]
    for key in keys:
        place.put(key, b"picture")
    place.put(f"{side}/Somebody's own.txt", b"something else")
    place.put(a_private_key(), b"on another side")

    pages = [page async for page in blobs.blobs(side)]

    listed = [blob.key for page in pages for blob in page]
    assert set(listed) == {*keys, f"{side}/Somebody's own.txt"}
    assert [key for key in listed if key in keys] == sorted(keys)
    assert all(0 < len(page) <= 1000 for page in pages)
    assert {(blob.size, blob.written_at) for page in pages for blob in page if blob.key in keys} == {(7, NOON)}


async def test_nothing_is_listed_as_nothing(blobs: Blobs) -> None:
    assert [[page async for page in blobs.blobs(side)] for side in SIDES] == [[], [], []]


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
    with pytest.raises(ValueError, match="not a key"):
        await blobs.find(key)
