"""The stand-in for the Gemini API, as a process of its own."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.fakes.gemini import KEY, MODELS_PATH
from tests.fakes.gemini_bodies import refused
from tests.unit.gemini_world import World, gemini_world


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
