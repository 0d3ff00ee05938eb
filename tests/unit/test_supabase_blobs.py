"""Blobs in Supabase Storage: what is asked of it, and what is remembered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from services.storage.blobs.supabase import SupabaseBlobs
from services.storage.blobs.supabase_buckets import BUCKETS
from services.storage.blobs.supabase_http import CONNECTIONS, SupabaseHttp
from services.storage.domain import MAX_BYTES, PUBLIC, SIDES, PlaceUnusable, new_key
from services.storage.upload_domain import MAX_UPLOAD_BYTES
from tests.blob_places import SupabasePlace, open_place, opens
from tests.builders import NOON
from tests.fakes.http_server import Hangup
from tests.fakes.supabase import done_but, instead
from tests.fakes.supabase_answers import a_json
from tests.fakes.supabase_tokens import SECRET_KEY, SERVICE_KEY
from tests.storage_parts import Clock

PNG = "image/png"
PICTURE = bytes(range(256)) * 1000
KEY = new_key(is_public=False)
NAME = KEY.partition("/")[2]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[SupabasePlace]:
    async with open_place("supabase", tmp_path) as place:
        assert isinstance(place, SupabasePlace)
        yield place


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def blobs(place: SupabasePlace, clock: Clock) -> SupabaseBlobs:
    return place.blobs(clock)


async def test_the_older_key_goes_in_two_headers_and_a_secret_key_in_one(place: SupabasePlace) -> None:
    for key, tokens in ((SERVICE_KEY, [f"Bearer {SERVICE_KEY}"]), (SECRET_KEY, [])):
        await SupabaseBlobs(place.http(key=key), Clock()).write(KEY, PICTURE, PNG)

        sent = place.storage.received("POST", "/object/")[-1].headers
        assert sent["apikey"] == key
        assert [value for name, value in sent.items() if name == "authorization"] == tokens


async def test_an_upload_says_its_length_its_type_and_how_long_it_may_be_cached(
    place: SupabasePlace, blobs: SupabaseBlobs
) -> None:
    await blobs.write(KEY, PICTURE, PNG)

    [sent] = place.storage.received("POST", "/object/")
    assert sent.path.endswith(f"/object/assets-private/{NAME}")
    assert (sent.headers["content-length"], sent.headers["content-type"]) == (str(len(PICTURE)), PNG)
    assert "transfer-encoding" not in sent.headers
    # It goes along to the public side, where it is what a cache is told.
    assert sent.headers["cache-control"] == "max-age=60"


async def test_buckets_are_made_at_the_start_with_their_rules(place: SupabasePlace, blobs: SupabaseBlobs) -> None:
    await blobs.ping()

    made = [json.loads(request.body) for request in place.storage.received("POST", "/bucket")]
    assert made == [
        {
            "id": name, "name": name, "public": public, "file_size_limit": limit, "allowed_mime_types": types,
        }
        for name, public, limit, types in (
            ("assets-private", False, MAX_BYTES, ["image/png", "image/jpeg", "image/webp"]),
            ("assets-public", True, MAX_BYTES, ["image/png", "image/jpeg", "image/webp"]),
            ("uploads", False, MAX_UPLOAD_BYTES, ["image/png", "image/jpeg"]),
        )
    ]  # fmt: skip


async def test_several_processes_that_start_at_once_make_each_bucket_once(place: SupabasePlace) -> None:
    processes = [place.blobs(Clock()) for _ in range(4)]

    await asyncio.gather(*(process.ping() for process in processes))

    assert all(bucket.id in place.storage.buckets for bucket in BUCKETS.values())


async def test_buckets_that_were_in_order_are_not_asked_for_at_every_step(
    place: SupabasePlace, blobs: SupabaseBlobs
) -> None:
    await blobs.ping()
    asked = len(place.storage.received("GET", "/bucket/"))

    await asyncio.gather(*(blobs.write(new_key(is_public=False), PICTURE, PNG) for _ in range(8)))
    await blobs.ping()

    assert len(place.storage.received("GET", "/bucket/")) == asked


async def test_a_page_of_links_is_one_request_and_is_remembered(
    place: SupabasePlace, blobs: SupabaseBlobs, clock: Clock
) -> None:
    keys = [new_key(is_public=False) for _ in range(100)]
    await blobs.ping()
    for key in keys:
        place.put(key, PICTURE)

    first = await blobs.links([*keys, new_key(is_public=True)], 3600, at_least=900)
    clock.advance(seconds=2700)
    again = await blobs.links([*keys, new_key(is_public=True)], 3600, at_least=900)
    clock.advance(seconds=1)
    fresh = await blobs.links(keys[:2], 3600, at_least=900)

    assert [link.url for link in again[:100]] == [link.url for link in first[:100]]
    assert [link.expires_at for link in fresh] == [clock.time + timedelta(seconds=3600)] * 2
    assert len(place.storage.received("POST", "/object/sign/")) == 2


async def test_links_of_another_life_are_others(place: SupabasePlace, blobs: SupabaseBlobs) -> None:
    await blobs.write(KEY, PICTURE, PNG)

    [long] = await blobs.links([KEY], 3600, at_least=1)
    [short] = await blobs.links([KEY], 60, at_least=1)

    assert (long.expires_at, short.expires_at) == (NOON + timedelta(seconds=3600), NOON + timedelta(seconds=60))


async def test_links_can_be_given_while_the_server_is_away_if_they_were_given_before(
    place: SupabasePlace, blobs: SupabaseBlobs, clock: Clock
) -> None:
    await blobs.write(KEY, PICTURE, PNG)
    [before] = await blobs.links([KEY], 60, at_least=10)

    await place.storage.close()
    clock.advance(seconds=1)

    assert list(await blobs.links([KEY], 60, at_least=10)) == [before]
    with pytest.raises(PlaceUnusable):
        await blobs.links([KEY], 60, at_least=60)


async def test_a_link_opens_the_picture_and_the_link_of_a_lost_one_opens_nothing(
    place: SupabasePlace, blobs: SupabaseBlobs
) -> None:
    await blobs.write(KEY, PICTURE, PNG)

    there, lost = await blobs.links([KEY, new_key(is_public=False)], 60, at_least=60)

    assert await opens(there.url)
    assert not await opens(lost.url)
    assert lost.expires_at == NOON


async def test_a_picture_that_was_lost_and_is_back_has_a_link_that_opens(
    place: SupabasePlace, blobs: SupabaseBlobs
) -> None:
    await blobs.ping()
    await blobs.links([KEY], 60, at_least=0)
    place.put(KEY, PICTURE)

    [link] = await blobs.links([KEY], 60, at_least=0)

    assert await opens(link.url)


async def test_a_deletion_that_did_nothing_is_noticed(place: SupabasePlace, blobs: SupabaseBlobs) -> None:
    await blobs.write(KEY, PICTURE, PNG)
    place.storage.faults = iter([instead(a_json({"message": "Successfully deleted"}))])

    with pytest.raises(PlaceUnusable):
        await blobs.delete(KEY)

    assert place.all_keys() == {KEY}


async def test_a_move_whose_target_is_there_leaves_nothing_at_its_source(
    place: SupabasePlace, blobs: SupabaseBlobs
) -> None:
    next_key = new_key(is_public=True)
    await blobs.write(KEY, PICTURE, PNG)
    place.put(next_key, PICTURE)

    await blobs.move(KEY, next_key)

    assert place.all_keys() == {next_key}


async def test_half_a_picture_is_never_taken_for_a_whole_one(place: SupabasePlace, blobs: SupabaseBlobs) -> None:
    await blobs.write(KEY, PICTURE, PNG)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: %d\r\n\r\n" % len(PICTURE)
    cut = Hangup(head + PICTURE[: len(PICTURE) // 2])
    place.storage.faults = iter([done_but(cut)])

    with pytest.raises(PlaceUnusable):
        async with blobs.read(KEY) as chunks:
            [chunk async for chunk in chunks]


async def test_readers_who_take_their_time_keep_nobody_from_working(place: SupabasePlace) -> None:
    http = SupabaseHttp(place.storage.url, SERVICE_KEY)
    blobs = SupabaseBlobs(http, Clock())
    await blobs.write(KEY, PICTURE * 10, PNG)

    async with AsyncExitStack() as readers:
        for _ in range(CONNECTIONS + 1):
            await anext(await readers.enter_async_context(blobs.read(KEY)))

        assert await blobs.find(KEY) is not None
    await http.close()


def test_every_side_has_a_bucket_of_its_own() -> None:
    assert BUCKETS.keys() == set(SIDES)
    assert len({bucket.id for bucket in BUCKETS.values()}) == 3
    assert {side for side, bucket in BUCKETS.items() if bucket.public} == {PUBLIC}
