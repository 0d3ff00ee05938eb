"""The stand-in for Supabase Storage has the ways of the real one, in what it takes: one measured fact a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import jwt
import pytest

from tests.fakes.http_server import Request
from tests.fakes.supabase import BASE, FakeSupabase
from tests.fakes.supabase_buckets import FakeBucket
from tests.fakes.supabase_tokens import ANON_KEY, SECRET_KEY, SERVICE_KEY
from tests.unit.supabase_world import PRIVATE, PUBLIC, a_client, a_token, full_access, said, upload


@pytest.fixture
async def storage() -> AsyncIterator[FakeSupabase]:
    async with FakeSupabase() as storage:
        yield storage


@pytest.fixture
async def http(storage: FakeSupabase) -> AsyncIterator[httpx.AsyncClient]:
    async with full_access(storage) as http:
        yield http


async def test_an_upload_is_200_and_names_its_key(http: httpx.AsyncClient) -> None:
    answer = await upload(http, f"{PRIVATE}/u1/a.png")

    assert answer.status_code == 200
    assert answer.json().keys() == {"Key", "Id"}
    assert answer.json()["Key"] == f"{PRIVATE}/u1/a.png"


@pytest.mark.parametrize(
    ("method", "path", "meant"),
    [
        ("GET", "/bucket/none", ("404", "Bucket not found")),
        ("GET", "/object/authenticated/none/a", ("404", "Bucket not found")),
        ("GET", "/object/info/authenticated/none/a", ("404", "Bucket not found")),
        ("GET", "/object/authenticated/priv/none", ("404", "not_found")),
        ("GET", "/object/info/authenticated/priv/none", ("404", "not_found")),
        ("GET", "/object/public/none/a", ("404", "not_found")),
        ("GET", "/object/public/priv/a", ("404", "Bucket not found")),
        ("DELETE", "/object/priv/none", ("404", "not_found")),
        ("DELETE", "/object/none/a", ("404", "not_found")),
    ],
)
async def test_what_is_missing_is_http_400_and_the_status_is_a_string_in_the_body(
    http: httpx.AsyncClient, method: str, path: str, meant: tuple[str, str]
) -> None:
    assert said(await http.request(method, path)) == (400, *meant)


async def test_an_unknown_route_is_a_real_404_whose_body_has_a_number(http: httpx.AsyncClient) -> None:
    answer = await http.get("/nope")

    assert (answer.status_code, answer.json()["statusCode"]) == (404, 404)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (None, "headers must have required property 'authorization'"),
        ("garbage", "Invalid Compact JWS"),
        (SECRET_KEY, "Invalid Compact JWS"),
        (jwt.encode({"role": "service_role"}, "another-" * 4, "HS256"), "signature verification failed"),
        (a_token(role="service_role", exp=1), '"exp" claim timestamp check failed'),
        (jwt.encode({"role": "service_role"}, "", "none"), '"alg" (Algorithm) Header Parameter value not allowed'),
    ],
)  # fmt: skip
async def test_a_bad_token_is_http_400_whatever_is_wrong_with_it(
    storage: FakeSupabase, http: httpx.AsyncClient, token: str | None, message: str
) -> None:
    async with a_client(storage, token) as stranger:
        answer = await upload(stranger, f"{PRIVATE}/a.png")

    assert answer.status_code == 400
    assert answer.json()["message"] == message
    assert answer.json()["statusCode"] == ("400" if token is None else "403")


async def test_a_token_needs_neither_an_end_nor_an_audience_and_apikey_says_nothing(
    storage: FakeSupabase, http: httpx.AsyncClient
) -> None:
    async with a_client(storage, a_token(role="service_role", aud="whoever"), apikey="anything") as caller:
        assert (await upload(caller, f"{PRIVATE}/a.png")).is_success
    async with a_client(storage, None, apikey=SERVICE_KEY) as caller:
        assert not (await upload(caller, f"{PRIVATE}/b.png")).is_success


async def test_a_gateway_puts_a_token_in_the_place_of_a_secret_key(
    storage: FakeSupabase, http: httpx.AsyncClient
) -> None:
    async with a_client(storage, None, apikey=SECRET_KEY) as caller:
        assert (await upload(caller, f"{PRIVATE}/a.png")).is_success


async def test_a_role_that_nobody_knows_is_a_real_500(storage: FakeSupabase, http: httpx.AsyncClient) -> None:
    async with a_client(storage, a_token(role="nobody")) as caller:
        assert said(await upload(caller, f"{PRIVATE}/a.png")) == (500, "500", "DatabaseError")


@pytest.mark.parametrize("token", [ANON_KEY, a_token()], ids=["anon", "no role"])
async def test_a_key_for_apps_may_not_write_and_sees_nothing_of_what_is_private(
    storage: FakeSupabase, http: httpx.AsyncClient, token: str
) -> None:
    await upload(http, f"{PRIVATE}/a.png")

    async with a_client(storage, token) as caller:
        assert said(await upload(caller, f"{PRIVATE}/b.png")) == (400, "403", "Unauthorized")
        assert said(await caller.get(f"/object/authenticated/{PRIVATE}/a.png")) == (400, "404", "not_found")
        assert said(await caller.delete(f"/object/{PRIVATE}/a.png")) == (400, "403", "Unauthorized")
        assert said(await caller.post("/bucket", json={"name": "mine"})) == (400, "403", "Unauthorized")


async def test_a_bucket_is_shown_with_its_rules_and_made_once(http: httpx.AsyncClient) -> None:
    shown = (await http.get(f"/bucket/{PUBLIC}")).json()

    assert (shown["id"], shown["public"], shown["file_size_limit"]) == (PUBLIC, True, 1024)
    assert shown["allowed_mime_types"] == ["image/png"]
    again = await http.post("/bucket", json={"name": PUBLIC})
    assert (*said(again), again.json()["code"]) == (400, "409", "Duplicate", "BucketAlreadyExists")
    too_big = await http.post("/bucket", json={"name": "big", "file_size_limit": 51 * 2**20})
    assert said(too_big) == (400, "413", "Payload too large")


async def test_a_size_limit_holds_for_a_length_that_is_said(http: httpx.AsyncClient) -> None:
    assert said(await upload(http, f"{PRIVATE}/big.png", bytes(1025))) == (400, "413", "Payload too large")


async def test_a_size_limit_does_not_hold_for_a_body_in_chunks(storage: FakeSupabase, http: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield bytes(1024)

    answer = await http.post(f"/object/{PRIVATE}/a.png", content=chunks(), headers={"content-type": "image/png"})

    assert answer.status_code == 200
    assert len(storage.buckets[PRIVATE].objects["a.png"].data) == 4096


@pytest.mark.parametrize("content_type", ["image/jpeg", "IMAGE/PNG", "image/png; charset=binary"])
async def test_types_are_compared_letter_by_letter(http: httpx.AsyncClient, content_type: str) -> None:
    answer = await upload(http, f"{PRIVATE}/a.png", content_type=content_type)

    assert said(answer) == (400, "415", "invalid_mime_type")


async def test_contents_are_not_looked_at_and_may_be_nothing(http: httpx.AsyncClient) -> None:
    assert (await upload(http, f"{PRIVATE}/a.png", b"")).is_success


@pytest.mark.parametrize("name", ["a#b.png", "ä.png", "a~b.png", "a/../b.png"])
async def test_a_name_with_strange_characters_is_refused(storage: FakeSupabase, name: str) -> None:
    # Asked without a client of HTTP, which would tidy the path up.
    storage.buckets.create(FakeBucket("any"), 2**20)
    quoted = name.replace("#", "%23").replace("ä", "%C3%A4")
    headers = {"authorization": f"Bearer {SERVICE_KEY}", "content-length": "1"}

    answer = await storage.answer(Request("POST", f"{BASE}/object/any/{quoted}", "", headers, b"x"))

    assert getattr(answer, "status", None) == 400
    assert b'"InvalidKey"' in getattr(answer, "body", b"")


async def test_without_upsert_what_is_there_stays_and_with_it_the_id_stays(http: httpx.AsyncClient) -> None:
    first = await upload(http, f"{PRIVATE}/a.png")

    again = await upload(http, f"{PRIVATE}/a.png", b"other")
    upserted = await upload(http, f"{PRIVATE}/a.png", b"other", x_upsert="true")

    assert (*said(again), again.json()["code"]) == (400, "409", "Duplicate", "KeyAlreadyExists")
    assert upserted.json()["Id"] == first.json()["Id"]
    assert (await http.get(f"/object/authenticated/{PRIVATE}/a.png")).content == b"other"


async def test_without_upsert_several_at_once_all_succeed(storage: FakeSupabase) -> None:
    storage.buckets.create(FakeBucket("any"), 2**20)
    headers = {"authorization": f"Bearer {SERVICE_KEY}", "content-length": "1"}
    requests = [Request("POST", f"{BASE}/object/any/a", "", headers, bytes([number])) for number in range(8)]

    answers = await asyncio.gather(*map(storage.answer, requests))

    assert {getattr(answer, "status", None) for answer in answers} == {200}
