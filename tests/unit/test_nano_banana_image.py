"""Pictures of the Nano Banana API, fetched from wherever it says they are."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import httpx
import pytest
from PIL import Image

from services.generation.failures import failure
from services.generation.providers.nano_banana_errors import InvalidImageError
from services.generation.providers.nano_banana_image import LONGEST_IMAGE, ImageFetcher, is_inside
from tests.fakes.http_server import Answer, Hangup, HttpServer, Request, Response
from tests.unit.nano_banana_world import FastTime, World, a_request, nano_banana_world

PUBLIC = "http://192.0.1.1"
"""An address outside; nothing is asked of it."""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with nano_banana_world() as world:
        yield world


async def test_a_picture_may_come_in_a_data_url(world: World) -> None:
    world.api.as_data = True

    picture = await world.render()

    assert Image.open(io.BytesIO(picture.data)).size == a_request().size
    assert picture.content_type == "image/png"
    assert not world.api.received("GET", "/images/")


async def test_the_key_is_not_shown_to_whoever_keeps_the_pictures(world: World) -> None:
    await world.render()

    [fetch] = world.api.received("GET", "/images/")
    assert "authorization" not in fetch.headers


@pytest.mark.parametrize(
    "answer", [Response(404), Response(429), Response(500), Response(503), Response(504), Hangup()]
)
async def test_a_picture_that_is_not_there_yet_is_fetched_again_and_not_paid_again(
    world: World, answer: Answer
) -> None:
    world.api.images.extend([answer] * 3)

    picture = await world.render()

    assert Image.open(io.BytesIO(picture.data)).size == a_request().size
    assert (world.posts, world.waits, world.calls.states, len(world.ledger)) == (1, [1, 2, 4], ["paid"], 1)


async def test_a_picture_that_never_comes_fails_after_four_tries(world: World) -> None:
    world.api.images.extend([Response(503)] * 5)

    assert await world.failure() == failure("PROVIDER_ERROR")

    assert (world.posts, world.waits, len(world.api.received("GET", "/images/"))) == (1, [1, 2, 4], 4)


@pytest.mark.parametrize(("retry_after", "wait"), [("3", 3), ("600", 8)])
async def test_a_picture_is_waited_for_as_asked_but_never_put_off(world: World, retry_after: str, wait: float) -> None:
    world.api.images.append(Response(503, {"retry-after": retry_after}))

    await world.render()

    assert world.waits == [wait]


async def test_a_picture_that_is_forbidden_is_not_asked_for_again(world: World) -> None:
    world.api.images.append(Response(403))

    assert await world.failure() == failure("PROVIDER_ERROR")

    assert (world.posts, world.waits) == (1, [])


async def test_a_picture_that_drips_too_slowly_is_fetched_anew() -> None:
    async with nano_banana_world(timeout=0.5) as world:
        world.api.images.append(Response(drip=0.1, body=bytes(50)))

        await world.render()

    assert (world.posts, world.waits, world.calls.states) == (1, [1], ["paid"])


async def test_what_is_found_is_handed_on_as_it_is(world: World) -> None:
    world.api.images.append(Response(200, {"content-type": "text/html"}, b"<html>"))

    picture = await world.render()

    assert (picture.data, picture.content_type) == (b"<html>", "text/html")


async def test_a_picture_may_be_as_large_as_the_limit(world: World) -> None:
    world.api.images.append(Response(body=bytes(LONGEST_IMAGE)))

    picture = await world.render()

    assert len(picture.data) == LONGEST_IMAGE


@pytest.mark.parametrize("says_length", [True, False])
async def test_a_larger_picture_is_refused(world: World, says_length: bool) -> None:
    world.api.images.append(Response(body=bytes(LONGEST_IMAGE + 1), says_length=says_length))

    assert await world.failure() == failure("INVALID_IMAGE")

    assert (world.posts, world.waits) == (1, [])


async def test_a_larger_picture_in_a_data_url_is_refused(world: World) -> None:
    world.api.image_url = "data:image/png;base64," + "A" * (LONGEST_IMAGE // 3 * 4 + 8)

    assert await world.failure() == failure("INVALID_IMAGE")


async def test_three_redirects_are_followed(world: World) -> None:
    world.api.images.extend([Response(302, {"location": "/images/generation-1.png"})] * 3)

    picture = await world.render()

    assert Image.open(io.BytesIO(picture.data)).size == a_request().size
    assert len(world.api.received("GET", "/images/")) == 4


async def test_a_fourth_redirect_is_not_followed(world: World) -> None:
    world.api.images.extend([Response(307, {"location": "/images/generation-1.png"})] * 9)

    assert await world.failure() == failure("INVALID_IMAGE")

    assert len(world.api.received("GET", "/images/")) == 4


@pytest.mark.parametrize(
    "location", ["https://127.0.0.1/x.png", "ftp://127.0.0.1/x", "data:image/png;base64,AA", "file:///etc/passwd"]
)
async def test_no_redirect_leads_to_another_scheme(world: World, location: str) -> None:
    world.api.images.append(Response(302, {"location": location}))

    assert await world.failure() == failure("INVALID_IMAGE")


async def test_no_redirect_leads_away_from_encryption() -> None:
    asked: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"location": "http://pictures.example/1"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        with pytest.raises(InvalidImageError):
            await a_fetcher(http).fetch("https://pictures.example/1")

    assert asked == ["https://pictures.example/1"]


@pytest.mark.parametrize(
    "address",
    ["", "picture.png", "//127.0.0.1/1", "ftp://127.0.0.1/1", "file:///etc/passwd", "http://", "http:///1", "http://[::1",
     "http://127.0.0.1:99999/1", "http://\udcff/1", "data:text/html;base64,AA==",
     "data:image/png,AA", "data:image/png;base64,A", "data:image/png;base64,<html>", "data:", "javascript:alert(1)"],
)  # fmt: skip
async def test_an_address_that_leads_nowhere_is_refused_at_once(world: World, address: str) -> None:
    world.api.image_url = address or " "

    assert await world.failure() == failure("INVALID_IMAGE")

    assert (world.posts, world.waits, world.calls.states) == (1, [], ["paid"])


@pytest.fixture
async def inside() -> AsyncIterator[HttpServer]:
    """Something in our own network that answers whoever asks."""

    async def answer(_: Request) -> Answer:
        return Response(body=b"secret")

    async with HttpServer({("GET", "/*"): answer}) as server:
        yield server


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1"])
async def test_an_address_inside_our_network_is_refused_before_anything_is_sent(inside: HttpServer, host: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(InvalidImageError):
            await a_fetcher(http).fetch(f"http://{host}:{inside.port}/1.png")

    assert inside.requests == []


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("127.0.0.1", True), ("10.1.2.3", True), ("169.254.169.254", True), ("100.64.0.1", True), ("0.0.0.0", True),
        ("::1", True), ("fd00::1", True), ("fe80::1%eth0", True), ("::ffff:127.0.0.1", True), ("64:ff9b::7f00:1", True),
        ("8.8.8.8", False), ("::ffff:8.8.8.8", False), ("64:ff9b::808:808", False), ("2606:4700::1111", False),
    ],
)  # fmt: skip
def test_the_open_internet_is_told_from_our_network(address: str, inside: bool) -> None:
    assert is_inside(address) is inside


async def test_an_api_inside_our_network_may_keep_its_pictures_there(inside: HttpServer) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        picture = await a_fetcher(http, "http://localhost:1").fetch(f"{inside.url}/1.png")

    assert picture.data == b"secret"


def a_fetcher(http: httpx.AsyncClient, api_url: str = PUBLIC) -> ImageFetcher:
    return ImageFetcher(http, api_url, 30, FastTime().timing())
