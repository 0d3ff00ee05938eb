"""Uploads as apps make them, through the gateway: statuses, limits, whose they are."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from services.storage.upload_domain import MAX_UPLOAD_BYTES, MAX_UPLOADS
from tests.contract.gateway_process import ORIGIN
from tests.contract.uploads_world import PICTURE, UPLOADS, World, as_app, running_world
from tests.pictures import a_picture
from tests.storage_service import NOBODYS


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        yield world


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


async def in_pieces(data: bytes, size: int = 50_000) -> AsyncIterator[bytes]:
    """Without a length: it is sent in chunks."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("said", ["image/png", "application/json", "text/plain", ""])
async def test_a_picture_is_kept_whatever_is_said_of_it_and_shown_to_its_owner(
    world: World, kind: str, said: str
) -> None:
    answer = await world.post(a_picture(320, 200, kind=kind), **{"Content-Type": said} if said else {})

    upload = answer.json()
    assert answer.status_code == 201
    assert "x-http-code" not in answer.headers
    assert list(upload) == ["id", "user_id", "content_type", "width", "height", "file_size", "url", "created_at"]
    assert (upload["user_id"], upload["width"], upload["height"]) == ("ada", 320, 200)
    shown = await world.opened(upload["url"])
    assert (shown.status_code, shown.headers["content-type"]) == (200, upload["content_type"]) == (200, "image/jpeg")
    assert len(shown.content) == upload["file_size"]
    assert Image.open(io.BytesIO(shown.content)).size == (320, 200)
    assert (await world.opened(upload["url"].partition("?")[0])).status_code == 403
    one = (await world.http.get(f"{UPLOADS}/{upload['id'].upper()}", headers=as_app("ada"))).json()
    assert {**one, "url": ""} == {**upload, "url": ""}


async def test_what_is_sent_in_chunks_without_a_length_is_the_same_picture(world: World) -> None:
    whole, pieces = await world.uploaded(), (await world.post(in_pieces(PICTURE))).json()

    assert (await world.opened(whole["url"])).content == (await world.opened(pieces["url"])).content


async def test_a_large_picture_is_taken_and_kept_smaller(world: World) -> None:
    large = a_picture(1900, 1800)
    assert 9 * 2**20 < len(large) < MAX_UPLOAD_BYTES
    wide = a_picture(3000, 600)

    upload, other = await world.uploaded(content=large), await world.uploaded(content=wide)

    assert (upload["width"], upload["height"]) == (1900, 1800)
    assert (other["width"], other["height"]) == (2048, 410)


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with a length", "in chunks"])
async def test_what_is_too_large_is_413_and_leaves_nothing(world: World, is_chunked: bool) -> None:
    just, far = b"\0" * (MAX_UPLOAD_BYTES + 1), b"\0" * (3 * MAX_UPLOAD_BYTES)

    answers = [await world.post(in_pieces(data, 2**20) if is_chunked else data) for data in (just, far)]

    too_large = (413, "REQUEST_TOO_LARGE", "the picture is over 10 MiB")
    assert [refusal(answer) for answer in answers] == [too_large, too_large]
    assert answers[0].json()["code"] == 8
    assert await world.total() == 0
    assert world.keys() == set()


async def test_exactly_ten_mebibytes_are_not_too_large(world: World) -> None:
    answer = await world.post(b"\0" * MAX_UPLOAD_BYTES)

    assert refusal(answer) == (400, "INVALID_REQUEST", "data: must be a whole picture: PNG, JPEG or WebP")


async def test_a_browser_may_upload_and_reads_why_it_may_not(world: World) -> None:
    asks = {
        "Origin": ORIGIN, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }  # fmt: skip
    allowed = await world.http.request("OPTIONS", UPLOADS, headers=asks)
    kept = await world.post(PICTURE, Origin=ORIGIN)
    refused = await world.post(b"\0" * (MAX_UPLOAD_BYTES + 1), Origin=ORIGIN)

    assert (allowed.status_code, kept.status_code, refused.status_code) == (200, 201, 413)
    for answer in (allowed, kept, refused):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "Content-Type" in allowed.headers["access-control-allow-headers"]


async def test_every_other_call_still_takes_64_kib(world: World) -> None:
    for verb, path in (("POST", "/api/v1/brand-kits"), ("PUT", UPLOADS), ("POST", f"{UPLOADS}/"), ("DELETE", UPLOADS)):
        answer = await world.http.request(verb, path, content=b"{" + b" " * 70_000 + b"}", headers=as_app("ada"))

        assert answer.status_code in (404, 413), (verb, path)


def a_bomb() -> bytes:
    """A few kilobytes that are 36 million pixels."""
    buffer = io.BytesIO()
    Image.new("L", (6000, 6000)).save(buffer, "PNG")
    return buffer.getvalue()


WHOLE = "data: must be a whole picture: PNG, JPEG or WebP"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "data: must be a picture, and is empty"),
        (b"not a picture", WHOLE),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', WHOLE),
        (a_picture(kind="GIF"), WHOLE),
        (a_picture(kind="TIFF"), WHOLE),
        (PICTURE[:-1], WHOLE),
        (PICTURE[: len(PICTURE) // 2], WHOLE),
        (a_picture(kind="JPEG")[:-40], WHOLE),
        (a_bomb(), "data: must have at most 25000000 pixels"),
    ],
    ids=["empty", "text", "svg", "gif", "tiff", "cut", "half", "half a jpeg", "bomb"],
)
async def test_what_is_no_picture_is_400_and_names_the_field(world: World, data: bytes, said: str) -> None:
    answer = await world.post(data, **{"Content-Type": "image/png"})

    assert refusal(answer) == (400, "INVALID_REQUEST", said)
    violations = answer.json()["details"][1]["field_violations"]
    assert [violation["field"] for violation in violations] == ["data"]
    assert world.keys() == set()


async def test_a_client_that_leaves_in_the_middle_leaves_nothing(world: World) -> None:
    begun = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield PICTURE[: len(PICTURE) // 2]
        begun.set()
        await asyncio.Event().wait()

    call = asyncio.create_task(world.post(half()))
    await begun.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    # Its place is free again: another one of the same user's waits for nobody.
    await world.uploaded()
    assert await world.total() == 1
    assert len(world.keys()) == 1


async def test_slow_uploads_of_one_user_keep_nobody_else_waiting(world: World) -> None:
    slow = asyncio.Event()

    async def drip() -> AsyncIterator[bytes]:
        yield PICTURE[:100]
        await slow.wait()
        yield PICTURE[100:]

    dripping = [asyncio.create_task(world.post(drip())) for _ in range(12)]
    await world.uploaded("bob")
    slow.set()

    assert [answer.status_code for answer in await asyncio.gather(*dripping)] == [201] * 12


async def test_lists_are_newest_first_in_pages_and_of_the_caller_alone(world: World) -> None:
    mine = [await world.uploaded() for _ in range(3)]
    await world.uploaded("bob")

    page = (await world.http.get(f"{UPLOADS}?limit=2&offset=1", headers=as_app("ada"))).json()

    assert [upload["id"] for upload in page["uploads"]] == [mine[1]["id"], mine[0]["id"]]
    assert (page["total"], page["limit"], page["offset"]) == (3, 2, 1)
    everything = (await world.http.get(UPLOADS, headers=as_app("ada"))).json()
    assert (everything["limit"], everything["offset"], len(everything["uploads"])) == (20, 0, 3)
    for query, field in (("limit=0", "limit"), ("limit=101", "limit"), ("offset=-1", "offset")):
        answer = await world.http.get(f"{UPLOADS}?{query}", headers=as_app("ada"))
        assert (answer.status_code, answer.json()["details"][1]["field_violations"][0]["field"]) == (400, field)


async def test_somebody_elses_is_403_and_what_is_not_there_404(world: World) -> None:
    upload = await world.uploaded()

    for verb in ("GET", "DELETE"):
        theirs = await world.http.request(verb, f"{UPLOADS}/{upload['id']}", headers=as_app("bob"))
        nobodys = await world.http.request(verb, f"{UPLOADS}/{NOBODYS}", headers=as_app("bob"))
        bad = await world.http.request(verb, f"{UPLOADS}/7", headers=as_app("bob"))

        assert refusal(theirs)[:2] == (403, "NOT_OWNER")
        assert refusal(nobodys) == (404, "UPLOAD_NOT_FOUND", f"upload {NOBODYS} was not found")
        assert refusal(bad)[:2] == (400, "INVALID_REQUEST")
    assert (await world.http.get(f"{UPLOADS}/{upload['id']}")).status_code == 401
    assert (await world.http.post(UPLOADS, content=PICTURE)).status_code == 401
    assert await world.total() == 1


async def test_what_was_deleted_is_gone_with_its_bytes_and_its_link(world: World) -> None:
    upload = await world.uploaded()

    deleted = await world.http.delete(f"{UPLOADS}/{upload['id']}", headers=as_app("ada"))
    again = await world.http.delete(f"{UPLOADS}/{upload['id']}", headers=as_app("ada"))

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert refusal(again)[:2] == (404, "UPLOAD_NOT_FOUND")
    assert (await world.opened(upload["url"])).status_code == 403
    assert world.keys() == set()


async def test_a_user_has_twenty_and_not_one_more(world: World) -> None:
    uploads = [await world.uploaded() for _ in range(MAX_UPLOADS)]

    answer = await world.post(PICTURE)
    await world.uploaded("bob")
    await world.http.delete(f"{UPLOADS}/{uploads[0]['id']}", headers=as_app("ada"))

    assert refusal(answer) == (400, "UPLOAD_LIMIT", "you already have 20 uploads; delete one to make room")
    assert answer.json()["code"] == 9
    assert (await world.post(PICTURE)).status_code == 201
