"""The stand-in for Supabase Storage has the ways of the real one, in what it gives: one measured fact a test."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from tests.fakes.supabase import FakeSupabase, done_but, instead
from tests.fakes.supabase_answers import database_down, database_slow, too_many_connections
from tests.unit.supabase_world import PNG, PRIVATE, PUBLIC, a_client, full_access, move, said, signed, upload


@pytest.fixture
async def storage() -> AsyncIterator[FakeSupabase]:
    async with FakeSupabase() as storage:
        yield storage


@pytest.fixture
async def http(storage: FakeSupabase) -> AsyncIterator[httpx.AsyncClient]:
    async with full_access(storage) as http:
        yield http


async def test_a_download_has_the_stored_cache_control_as_it_was_written(http: httpx.AsyncClient) -> None:
    await upload(http, f"{PUBLIC}/a.png", cache_control="3600")
    await upload(http, f"{PUBLIC}/b.png")

    given, not_given = [await http.get(f"/object/public/{PUBLIC}/{name}.png") for name in "ab"]

    assert (given.headers["cache-control"], not_given.headers["cache-control"]) == ("3600", "no-cache")
    assert given.headers["etag"] == f'"{hashlib.md5(PNG).hexdigest()}"'
    assert (given.headers["content-type"], given.content) == ("image/png", PNG)


async def test_info_says_size_type_and_time(http: httpx.AsyncClient) -> None:
    await upload(http, f"{PRIVATE}/a.png")

    info = (await http.get(f"/object/info/authenticated/{PRIVATE}/a.png")).json()

    assert (info["name"], info["bucket_id"], info["size"], info["content_type"]) == (
        "a.png",
        PRIVATE,
        len(PNG),
        "image/png",
    )
    assert {"last_modified", "created_at", "etag"} <= info.keys()


async def test_a_signed_link_is_relative_to_the_base_and_needs_no_token(
    storage: FakeSupabase, http: httpx.AsyncClient
) -> None:
    await upload(http, f"{PRIVATE}/a.png")

    link = await signed(http, f"{PRIVATE}/a.png")

    assert link.startswith(f"/object/sign/{PRIVATE}/a.png?token=eyJ")
    async with a_client(storage, None) as anybody:
        shown = await anybody.get(link)
    assert shown.content == PNG
    assert "expires" in shown.headers and "cache-control" not in shown.headers


async def test_the_same_link_once_more_within_a_second_is_the_same(
    storage: FakeSupabase, http: httpx.AsyncClient
) -> None:
    storage.clock = lambda: 1_767_268_800.5
    await upload(http, f"{PRIVATE}/a.png")

    assert await signed(http, f"{PRIVATE}/a.png") == await signed(http, f"{PRIVATE}/a.png")


async def test_a_signed_link_opens_nothing_when_it_is_another_paths_or_tampered_with_or_over(
    storage: FakeSupabase, http: httpx.AsyncClient
) -> None:
    for name in ("a.png", "b.png"):
        await upload(http, f"{PRIVATE}/{name}")
    link = await signed(http, f"{PRIVATE}/a.png")

    answers = [await http.get(each) for each in bad_links(link)]
    storage.clock = later = storage_clock(storage, 61)
    over = await http.get(link)

    assert [said(answer)[1:] for answer in answers] == [
        ("400", "InvalidSignature"), ("400", "InvalidJWT"), ("400", "InvalidJWT"), ("400", "Error"),
    ]  # fmt: skip
    assert later() and said(over) == (400, "400", "InvalidJWT")


def bad_links(link: str) -> Iterator[str]:
    yield link.replace("a.png", "b.png")
    yield link[:-2]
    yield f"{link.partition('?')[0]}?token=garbage"
    yield link.partition("?")[0]


def storage_clock(storage: FakeSupabase, seconds: float) -> Any:
    now = storage.clock()
    return lambda: now + seconds


async def test_a_signed_link_follows_its_path(http: httpx.AsyncClient) -> None:
    await upload(http, f"{PRIVATE}/a.png")
    link = await signed(http, f"{PRIVATE}/a.png")

    await move(http, (PRIVATE, "a.png"), (PUBLIC, "b.png"))
    moved = await http.get(link)
    await move(http, (PUBLIC, "b.png"), (PRIVATE, "a.png"))

    assert said(moved) == (400, "404", "not_found")
    assert (await http.get(link)).content == PNG


async def test_nothing_cannot_be_signed_but_in_a_list_it_is_only_noted(http: httpx.AsyncClient) -> None:
    await upload(http, f"{PRIVATE}/a.png")

    alone = await http.post(f"/object/sign/{PRIVATE}/none", json={"expiresIn": 60})
    listed = await http.post(f"/object/sign/{PRIVATE}", json={"expiresIn": "60", "paths": ["none", "a.png"]})
    never = await http.post(f"/object/sign/{PRIVATE}/a.png", json={"expiresIn": 0})

    assert said(alone) == (400, "404", "not_found")
    assert [(each["path"], each["signedURL"] is None, each["error"] is None) for each in listed.json()] == [
        ("none", True, False), ("a.png", False, True),
    ]  # fmt: skip
    assert said(never) == (400, "400", "Error")


async def test_a_move_keeps_the_cache_control_and_ignores_the_types_of_the_other_bucket(
    storage: FakeSupabase, http: httpx.AsyncClient
) -> None:
    storage.buckets[PRIVATE].allowed_mime_types = None
    await upload(http, f"{PRIVATE}/a.jpg", content_type="image/jpeg", cache_control="max-age=60")

    moved = await move(http, (PRIVATE, "a.jpg"), (PUBLIC, "b.jpg"))

    assert moved.is_success
    shown = await http.get(f"/object/public/{PUBLIC}/b.jpg")
    assert (shown.headers["content-type"], shown.headers["cache-control"]) == ("image/jpeg", "max-age=60")
    assert storage.buckets.names() == {f"{PUBLIC}/b.jpg"}


@pytest.mark.parametrize(
    ("source", "target", "meant"),
    [
        ((PRIVATE, "none"), (PUBLIC, "b"), ("404", "not_found")),
        (("none", "a.png"), (PUBLIC, "b"), ("404", "not_found")),
        ((PRIVATE, "a.png"), ("none", "b"), ("404", "InvalidRequest")),
        ((PRIVATE, "a.png"), (PUBLIC, "there.png"), ("409", "Duplicate")),
    ],
    ids=["no source", "no source bucket", "no target bucket", "target there"],
)
async def test_a_move_that_cannot_be_says_why(
    http: httpx.AsyncClient, source: tuple[str, str], target: tuple[str, str], meant: tuple[str, str]
) -> None:
    await upload(http, f"{PRIVATE}/a.png")
    await upload(http, f"{PUBLIC}/there.png")

    assert said(await move(http, source, target)) == (400, *meant)


async def test_a_deletion_of_json_without_a_body_is_refused(http: httpx.AsyncClient) -> None:
    await upload(http, f"{PRIVATE}/a.png")

    refused = await http.delete(f"/object/{PRIVATE}/a.png", headers={"content-type": "application/json"})
    deleted = await http.delete(f"/object/{PRIVATE}/a.png")

    assert refused.status_code == 400
    assert deleted.json() == {"message": "Successfully deleted"}


async def test_a_list_goes_on_where_its_cursor_says_and_a_missing_bucket_has_an_empty_one(
    http: httpx.AsyncClient,
) -> None:
    for name in ("c", "a", "folder/b"):
        await upload(http, f"{PRIVATE}/{name}")

    first = (await http.post(f"/object/list-v2/{PRIVATE}", json={"limit": 2})).json()
    rest = (await http.post(f"/object/list-v2/{PRIVATE}", json={"limit": 2, "cursor": first["nextCursor"]})).json()
    none = (await http.post("/object/list-v2/none", json={})).json()

    assert [each["name"] for each in first["objects"]] == ["a", "c"]
    assert ([each["name"] for each in rest["objects"]], rest["hasNext"]) == (["folder/b"], False)
    assert first["objects"][0]["metadata"]["size"] == len(PNG)
    assert (none["objects"], none["hasNext"]) == ([], False)


@pytest.mark.parametrize(
    ("fault", "status", "happens"),
    [
        (instead(database_down()), 500, False),
        (instead(database_slow()), 544, False),
        (instead(too_many_connections()), 429, False),
        (done_but(database_down()), 500, True),
    ],
)
async def test_what_fails_on_its_side_is_a_real_status_and_may_have_happened(
    storage: FakeSupabase, http: httpx.AsyncClient, fault: Any, status: int, happens: bool
) -> None:
    storage.faults = iter([fault])

    answer = await upload(http, f"{PRIVATE}/a.png")

    assert (answer.status_code, answer.json()["statusCode"]) == (status, str(status))
    assert ("a.png" in storage.buckets[PRIVATE].objects) is happens
