"""The stand-in for the Gemini API, as a process of its own."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from services.generation.styles import StyleImage
from tests.fakes.gemini import KEY, MODELS_PATH, Shown
from tests.fakes.gemini_bodies import refused
from tests.pictures import a_picture
from tests.unit.gemini_world import World, a_request, gemini_world

PNG = base64.b64encode(a_picture()).decode()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.gemini", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    ready = (await process.stdout.readline()).decode()
    yield ready.removeprefix("ready ").strip()
    process.terminate()
    await process.communicate()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as http:
        yield http


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with gemini_world() as world:
        yield world


async def test_it_can_be_scripted_and_tells_what_it_billed(url: str, http: httpx.AsyncClient, world: World) -> None:
    script = [{"then": "cut"}, {"status": 503}, {"body": refused("IMAGE_SAFETY"), "billed": False}]
    await http.post(f"{url}/fake/script", json=script)

    assert (await world.failure(base_url=url)).reason == "CONTENT_POLICY"
    world.calls.calls.clear()
    picture = await world.render(base_url=url)
    ledger = (await http.get(f"{url}/fake/ledger")).json()

    assert picture.content_type == "image/png"
    assert [call["billed"] for call in ledger["calls"]] == [True, False, False, True]
    assert ledger["billed"] == 2


@pytest.mark.parametrize(
    "change",
    [
        {"imageConfig": {"aspectRatio": "16:9", "imageSize": "1k"}},
        {"imageConfig": {"aspectRatio": "16:10", "imageSize": "1K"}},
        {"imageConfig": {"aspectRatio": "16:9", "imageSize": "1K", "imageOutputOptions": {}}},
        {"responseModalities": ["TEXT"]},
        {"seed": 2**31},
    ],
)
async def test_it_refuses_what_the_api_refuses(
    world: World, http: httpx.AsyncClient, change: dict[str, object]
) -> None:
    asked = {
        "responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "16:9", "imageSize": "1K"}, "seed": 7,
    }  # fmt: skip
    body = {"contents": [{"role": "user", "parts": [{"text": "a cat"}]}], "generationConfig": {**asked, **change}}

    address = f"{world.fake.url}{MODELS_PATH}gemini-nano-banana-2.1:generateContent"
    answer = await http.post(address, json=body, headers={"x-goog-api-key": KEY})

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert world.fake.ledger == []


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "image/png", "data": "no base64!"}},
        {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(b"no picture").decode()}},
        {"inlineData": {"mimeType": "image/jpeg", "data": PNG}},
        {"inlineData": {"mimeType": "image/png", "data": PNG[:100]}},
        {"inlineData": {"data": PNG}},
        {"inlineData": PNG},
        {"inline_data": {"mimeType": "image/png", "data": PNG}, "text": "both"},
        {"text": "another text"},
        "text",
    ],
)
async def test_it_refuses_pictures_that_are_none(world: World, http: httpx.AsyncClient, part: object) -> None:
    asked = {
        "responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "16:9", "imageSize": "1K"}, "seed": 7,
    }  # fmt: skip
    contents = [{"role": "user", "parts": [{"text": "a cat"}, part]}]

    address = f"{world.fake.url}{MODELS_PATH}gemini-nano-banana-2.1:generateContent"
    body = {"contents": contents, "generationConfig": asked}
    answer = await http.post(address, json=body, headers={"x-goog-api-key": KEY})

    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert world.fake.ledger == []


async def test_it_remembers_the_pictures_it_was_shown(world: World) -> None:
    style = StyleImage(base64.b64decode(PNG), "image/png")

    await world.render(a_request(style_image=style))

    [call] = world.fake.ledger
    assert call.images == (Shown("image/png", hashlib.sha256(style.data).hexdigest(), len(style.data)),)
