"""What goes wrong with Supabase Storage is said plainly to whoever runs this, and tried again only if that may help."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import jwt
import pytest

from chassis.patience import describe
from services.storage.blobs.supabase import SupabaseBlobs
from services.storage.blobs.supabase_http import SupabaseHttp
from services.storage.domain import PlaceUnfit, PlaceUnusable, new_key
from tests.blob_places import PATIENCE, SupabasePlace, open_place
from tests.fakes.http_server import Answer, Hang, Hangup, HttpServer, Request, Response
from tests.fakes.supabase import Fault, instead
from tests.fakes.supabase_answers import Refusal, a_json, database_down, database_slow, too_many_connections
from tests.fakes.supabase_tokens import ANON_KEY, JWT_SECRET
from tests.storage_parts import Clock

PNG = "image/png"
KEY = new_key(is_public=False)
OUR_WORDS = "the place for pictures cannot be used right now"
SHORT = replace(PATIENCE, look=0.2, call=0.2, upload=0.2, in_all=2)

Call = Callable[[SupabaseBlobs], Awaitable[Any]]


async def write(blobs: SupabaseBlobs) -> None:
    await blobs.write(KEY, b"picture", PNG)


async def read(blobs: SupabaseBlobs) -> None:
    async with blobs.read(KEY):
        pass


CALLS: dict[str, Call] = {
    "write": write,
    "read": read,
    "move": lambda blobs: blobs.move(KEY, new_key(is_public=True)),
    "delete": lambda blobs: blobs.delete(KEY),
    "links": lambda blobs: blobs.links([KEY], 60, at_least=60),
    "find": lambda blobs: blobs.find(KEY),
    "ping": lambda blobs: blobs.ping(),
}


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[SupabasePlace]:
    async with open_place("supabase", tmp_path) as place:
        assert isinstance(place, SupabasePlace)
        yield place


@pytest.fixture
async def blobs(place: SupabasePlace) -> SupabaseBlobs:
    """With a picture."""
    blobs = place.blobs(Clock())
    await blobs.write(KEY, b"picture", PNG)
    return blobs


async def trouble(call: Awaitable[Any], *, must_be_mended: bool) -> str:
    """What an operator is told; a client never hears more than our own sentence."""
    with pytest.raises(PlaceUnusable) as raised:
        await call
    assert isinstance(raised.value, PlaceUnfit) is must_be_mended
    assert raised.value.message == OUR_WORDS
    told = describe(raised.value)
    assert not any(secret in told for secret in (JWT_SECRET, KEY.partition("/")[2], "eyJ", "sb_"))
    return str(raised.value.__cause__)


@pytest.mark.parametrize("call", [call for call in CALLS if call not in ("ping", "links")])
async def test_a_bucket_that_was_taken_away_is_named_and_not_made_again(
    place: SupabasePlace, blobs: SupabaseBlobs, call: str
) -> None:
    place.storage.buckets.drop("assets-private")

    told = await trouble(CALLS[call](blobs), must_be_mended=True)

    assert told == "no bucket assets-private: start the storage service again, and it is made"
    assert "assets-private" not in place.storage.buckets


async def test_a_target_bucket_that_was_taken_away_is_named(place: SupabasePlace, blobs: SupabaseBlobs) -> None:
    place.storage.buckets.drop("assets-public")

    told = await trouble(CALLS["move"](blobs), must_be_mended=True)

    assert told.startswith("no bucket assets-public: ")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "key",
    [
        "eyJ.garbage",
        jwt.encode({"role": "service_role"}, "another-" * 4, "HS256"),
        jwt.encode({"role": "service_role", "exp": 1}, JWT_SECRET, "HS256"),
    ],
    ids=["garbage", "of another project", "expired"],
)
async def test_a_wrong_key_is_called_by_the_name_of_its_setting(place: SupabasePlace, call: str, key: str) -> None:
    await place.blobs(Clock()).write(KEY, b"picture", PNG)

    told = await trouble(CALLS[call](SupabaseBlobs(place.http(key=key), Clock())), must_be_mended=True)

    assert told == "Supabase does not accept SUPABASE_SERVICE_KEY: check that it is this project's and has not expired"


async def test_a_gateway_that_does_not_know_the_key_is_understood(place: SupabasePlace, blobs: SupabaseBlobs) -> None:
    place.storage.faults = iter([instead(a_json({"message": "Invalid API key"}, 401))])

    assert "SUPABASE_SERVICE_KEY" in await trouble(blobs.find(KEY), must_be_mended=True)


async def test_with_a_key_for_apps_nothing_is_thought_to_be_gone(place: SupabasePlace, blobs: SupabaseBlobs) -> None:
    with_less = SupabaseBlobs(place.http(key=ANON_KEY), Clock())

    assert "SUPABASE_SERVICE_KEY" in await trouble(with_less.delete(KEY), must_be_mended=True)
    assert place.all_keys() == {KEY}


@pytest.mark.parametrize(
    ("bucket", "is_public", "told"),
    [
        ("assets-private", True, "the bucket assets-private is not private: make it so in the dashboard"),
        ("assets-public", False, "the bucket assets-public is not public: make it so in the dashboard"),
    ],
)
@pytest.mark.parametrize("call", ["write", "move", "ping"])
async def test_nothing_is_put_into_a_bucket_that_is_open_to_others_than_it_should(
    place: SupabasePlace, blobs: SupabaseBlobs, bucket: str, is_public: bool, told: str, call: str
) -> None:
    place.storage.buckets[bucket].public = is_public
    before = len(place.storage.received("POST", "/object/"))
    started_now = place.blobs(Clock())

    assert await trouble(CALLS[call](started_now), must_be_mended=True) == told
    assert len(place.storage.received("POST", "/object/")) == before


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"file_size_limit": 3}, "takes no picture of this size"),
        ({"allowed_mime_types": ["image/gif"]}, "does not take this type"),
    ],
)
async def test_rules_that_somebody_has_changed_are_named(
    place: SupabasePlace, blobs: SupabaseBlobs, rule: dict[str, Any], told: str
) -> None:
    for name, value in rule.items():
        setattr(place.storage.buckets["assets-private"], name, value)

    assert told in await trouble(write(blobs), must_be_mended=True)


@pytest.mark.parametrize(
    "answer",
    [
        Response(404, {"content-type": "text/html"}, b"<html>Not Found</html>"),
        Response(200, {"content-type": "text/html"}, b"<html>Welcome</html>"),
        Response(404, {"content-type": "application/json"}, b'{"error": "not_found"}'),
        Response(200, {"content-type": "application/json"}, b"{}"),
        Response(200, {"content-type": "application/json"}, b"[]"),
        Response(404, {}, b'{"message": "Route GET:/x not found", "error": "Not Found", "statusCode": 404}'),
        Response(302, {"location": "http://127.0.0.1:1/"}, b""),
    ],
    ids=["html 404", "html 200", "another 404", "another 200", "a list", "an unknown route", "a redirect"],
)
@pytest.mark.parametrize("call", CALLS)
async def test_somebody_else_at_the_address_is_never_believed(answer: Response, call: str) -> None:
    async def whatever(_: Request) -> Answer:
        return answer

    async with HttpServer({(method, "/*"): whatever for method in ("GET", "POST", "DELETE")}) as server:
        http = SupabaseHttp(server.url, "sb_secret_x", patience=PATIENCE)
        try:
            told = await trouble(CALLS[call](SupabaseBlobs(http, Clock())), must_be_mended=True)
        finally:
            await http.close()

    assert told == "SUPABASE_URL does not lead to Supabase Storage"


FOREVER: dict[str, tuple[Fault, str]] = {
    "500": (instead(database_down()), "Supabase Storage answers 500"),
    "544": (instead(database_slow()), "Supabase Storage answers 544"),
    "429": (instead(too_many_connections()), "Supabase Storage answers 429"),
    "a gateway's 502": (instead(Response(502, {}, b"<html>")), "Supabase Storage answers 502"),
    "hung up": (instead(Hangup()), "SUPABASE_URL cannot be reached (RemoteProtocolError)"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("how", FOREVER)
async def test_what_may_pass_is_tried_four_times_and_then_said(place: SupabasePlace, call: str, how: str) -> None:
    patient = SupabaseBlobs(place.http(), Clock())
    fault, said = FOREVER[how]
    place.storage.faults = repeat(fault)

    told = await trouble(CALLS[call](patient), must_be_mended=False)

    assert told == said
    tried = {(request.method, request.path): 0 for request in place.storage.requests}
    for request in place.storage.requests:
        tried[request.method, request.path] += 1
    assert set(tried.values()) == {4}


async def test_silence_is_not_waited_for_longer_than_was_said(place: SupabasePlace) -> None:
    place.storage.faults = repeat(instead(Hang()))
    began = time.monotonic()

    told = await trouble(SupabaseBlobs(place.http(patience=SHORT), Clock()).find(KEY), must_be_mended=False)

    assert told == "Supabase Storage does not answer within 0.2 s"
    assert time.monotonic() - began >= 0.4


async def test_nobody_at_the_address_is_said(place: SupabasePlace, blobs: SupabaseBlobs) -> None:
    await place.storage.close()

    assert await trouble(blobs.find(KEY), must_be_mended=False) == "SUPABASE_URL cannot be reached (ConnectError)"


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(403, "Unauthorized", "AccessDenied", "no"),
        Refusal(413, "Payload too large", "EntityTooLarge", "no"),
        Refusal(400, "InvalidKey", "InvalidKey", "no"),
        Refusal(404, "Bucket not found", "NoSuchBucket", "no"),
    ],
    ids=lambda refusal: str(refusal.status),
)
async def test_a_refusal_is_never_tried_again(place: SupabasePlace, blobs: SupabaseBlobs, refusal: Refusal) -> None:
    asked = len(place.storage.requests)
    place.storage.faults = repeat(instead(refusal))

    await trouble(write(blobs), must_be_mended=True)

    assert len(place.storage.requests) == asked + 1


async def test_what_an_older_server_says_without_a_code_is_understood(
    place: SupabasePlace, blobs: SupabaseBlobs
) -> None:
    old = {"statusCode": "404", "error": "not_found", "message": "The resource was not found"}
    place.storage.faults = iter([instead(a_json(old, 400))])

    assert await blobs.find(KEY) is None
