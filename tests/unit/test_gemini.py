"""The Gemini provider against a server that speaks as Google's does: what it sends, pays, waits and says."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
from PIL import Image

from services.generation.domain import AssetType, CallUnderWay, RenderDeferred, RenderFailed, RenderVoid
from services.generation.failures import failure
from services.generation.providers.gemini_sizes import ImageConfig
from services.generation.providers.ladder import BUSY_FOR
from tests.builders import NOON
from tests.fakes.gemini import CUT, CUT_SHORT, HANG, Turn
from tests.fakes.gemini_bodies import (
    FREE_PER_DAY,
    bad_key,
    error,
    exhausted,
    invalid_argument,
    model_gone,
    no_billing,
    overloaded,
    retry_info,
)
from tests.fakes.paid_calls import Call, InMemoryPaidCalls
from tests.nats import free_port
from tests.unit.gemini_world import PROMPT, World, a_request, gemini_world

DOWN = Turn(overloaded(), 503)


class Refusing(InMemoryPaidCalls):
    """Allows no call at all."""

    def __init__(self, refusal: Exception) -> None:
        super().__init__()
        self._refusal = refusal

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[Call]:
        raise self._refusal
        yield Call()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with gemini_world() as world:
        yield world


async def test_a_picture_costs_one_call(world: World) -> None:
    picture = await world.render()

    assert Image.open(io.BytesIO(picture.data)).size == (1376, 768)
    assert picture.content_type == "image/png"
    assert [(call.prompt, call.seed, call.model) for call in world.fake.ledger] == [
        (PROMPT, 7, "gemini-nano-banana-2.1")
    ]
    assert world.fake.billed == 1
    assert world.calls.states == ["paid"]


async def test_the_same_seed_makes_the_same_picture_and_another_one_another(world: World) -> None:
    provider = world.provider()

    first, again, other = [await provider.render(a_request(seed=seed), InMemoryPaidCalls()) for seed in (7, 7, 8)]

    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("asset_type", "model", "size"),
    [
        (AssetType.OVERLAY, "gemini-nano-banana-2.1", (2752, 1536)),
        (AssetType.BANNER, "gemini-nano-banana-2.1", (1584, 672)),
        (AssetType.STORY_GRAPHIC, "gemini-nano-banana-2.1", (1536, 2752)),
        (AssetType.CLIP_COVER, "gemini-nano-banana-2.1", (2048, 2048)),
        (AssetType.CLIP_COVER, "gemini-2.5-flash-image", (1024, 1024)),
    ],
)
async def test_each_asset_type_is_asked_for_in_its_own_size(
    world: World, asset_type: AssetType, model: str, size: tuple[int, int]
) -> None:
    picture = await world.render(a_request(asset_type), model=model)

    assert Image.open(io.BytesIO(picture.data)).size == size


async def test_a_setting_overrides_the_size(world: World) -> None:
    await world.render(sizes={AssetType.THUMBNAIL: ImageConfig("4:3", "2K")})

    assert [(call.aspect_ratio, call.image_size) for call in world.fake.ledger] == [("4:3", "2K")]


async def test_an_overlay_lies_on_the_flat_colour_that_was_asked_for(world: World) -> None:
    prompt = "A stream overlay in #FF0055. Behind it lies one flat colour, exactly #00FF00, and nothing else."

    picture = await world.render(a_request(AssetType.OVERLAY, prompt=prompt))

    image = Image.open(io.BytesIO(picture.data))
    assert image.getpixel((image.width // 2, image.height // 2)) == (0, 255, 0)
    assert image.getpixel((5, 5)) == (255, 0, 85)


async def test_a_service_that_is_down_is_asked_again_later_each_time(world: World) -> None:
    world.fake.script(DOWN, Turn(None, 500), Turn(b"<html>Bad Gateway</html>", 502))

    await world.render()

    assert world.waits == [1.0, 2.0, 4.0]
    assert world.calls.states == ["unpaid", "unpaid", "unpaid", "paid"]
    assert world.fake.billed == 1


async def test_four_calls_are_all_there_are(world: World) -> None:
    world.fake.script(*[DOWN] * 9)

    assert (await world.failure()).reason == "PROVIDER_ERROR"
    assert len(world.fake.ledger) == 4
    assert world.fake.billed == 0


@pytest.mark.parametrize(
    ("turn", "wait"),
    [
        (Turn(exhausted("5.5s"), 429), 5.5),
        (Turn([exhausted("5.5s")], 429), 5.5),
        (Turn(b"slow down", 429, {"Retry-After": "6"}), 6.0),
        (Turn(exhausted("3s"), 429, {"Retry-After": "6"}), 6.0),
        (Turn(overloaded(), 503, {"Retry-After": format_datetime(NOON + timedelta(seconds=7), usegmt=True)}), 7.0),
        (Turn(error(503, "UNAVAILABLE", "overloaded", retry_info("8s")), 503), 8.0),
        (Turn(exhausted("37.2s"), 429), 37.2),
    ],
)
async def test_a_wait_that_is_asked_for_closes_the_gate_and_frees_the_worker(
    world: World, turn: Turn, wait: float
) -> None:
    world.fake.script(turn)

    with pytest.raises(RenderDeferred) as deferred:
        await world.render()

    assert deferred.value.seconds == wait
    assert world.calls.gate == wait
    assert world.waits == []
    assert world.calls.states == ["unpaid"]


async def test_a_wait_that_the_ladder_covers_is_waited_there(world: World) -> None:
    world.fake.script(Turn(exhausted("250ms"), 429))

    await world.render()

    assert world.waits == [1.0]
    assert world.calls.states == ["unpaid", "paid"]


async def test_a_model_that_is_full_puts_the_item_off_and_takes_those_of_others(world: World) -> None:
    world.fake.script(*[Turn(exhausted("250ms"), 429)] * 4)

    with pytest.raises(RenderDeferred) as deferred:
        await world.render()

    assert (deferred.value.seconds, world.calls.gate, len(world.fake.ledger)) == (4, 0, 4)


async def test_a_model_that_is_too_busy_without_saying_for_how_long_is_left_alone(world: World) -> None:
    world.fake.script(*[Turn(error(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted"), 429)] * 4)

    with pytest.raises(RenderDeferred):
        await world.render()

    assert world.calls.gate == BUSY_FOR
    assert len(world.fake.ledger) == 4


@pytest.mark.parametrize(
    ("turn", "reason", "retryable"),
    [
        (Turn(exhausted("37s", FREE_PER_DAY), 429), "PROVIDER_QUOTA", True),
        (Turn(exhausted("37s", limit=0), 429), "PROVIDER_QUOTA", False),
        (Turn(invalid_argument(), 400), "PROVIDER_ERROR", False),
        (Turn(no_billing(), 400), "PROVIDER_AUTH", False),
        (Turn(bad_key(), 400), "PROVIDER_AUTH", False),
        (Turn(error(401, "UNAUTHENTICATED", ""), 401), "PROVIDER_AUTH", False),
        (Turn(error(403, "PERMISSION_DENIED", ""), 403), "PROVIDER_AUTH", False),
        (Turn(model_gone("gemini-9"), 404), "PROVIDER_ERROR", False),
    ],
)
async def test_what_asking_again_cannot_change_fails_at_once(
    world: World, turn: Turn, reason: str, retryable: bool
) -> None:
    world.fake.script(turn)

    assert await world.failure() == failure(reason, retryable=retryable)
    assert world.calls.states == ["unpaid"]
    assert world.waits == []
    assert world.calls.gate == 0.0


@pytest.mark.parametrize("turn", [CUT, Turn(None, 504, billed=True)])
async def test_a_call_without_an_answer_is_made_once_more(world: World, turn: Turn) -> None:
    world.fake.script(turn)

    await world.render()

    assert world.calls.states == ["unknown", "paid"]
    assert world.waits == [1.0]
    assert world.fake.billed == 2


@pytest.mark.parametrize(
    ("turn", "state"), [(CUT, "unknown"), (CUT_SHORT, "paid"), (Turn(None, 504, billed=True), "unknown")]
)
async def test_two_calls_without_an_answer_are_the_last(world: World, turn: Turn, state: str) -> None:
    world.fake.script(*[turn] * 9)

    assert (await world.failure()).reason == "OUTCOME_UNKNOWN"
    assert world.calls.states == [state, state]
    assert world.fake.billed == 2


async def test_a_silent_service_is_given_up_in_time(world: World) -> None:
    world.fake.script(HANG, HANG)

    assert (await world.failure(timeout=0.2)).reason == "OUTCOME_UNKNOWN"
    assert world.calls.states == ["unknown", "unknown"]


async def test_a_service_that_cannot_be_reached_was_not_paid(world: World) -> None:
    failure = await world.failure(base_url=f"http://127.0.0.1:{free_port()}")

    assert failure.reason == "PROVIDER_ERROR"
    assert world.calls.states == ["unpaid"] * 4
    assert world.waits == [1.0, 2.0, 4.0]


async def test_a_render_that_is_stopped_in_its_call_may_have_been_billed(world: World) -> None:
    world.fake.script(HANG)
    render = asyncio.create_task(world.render())
    await world.fake.called.wait()

    render.cancel()
    with pytest.raises(asyncio.CancelledError):
        await render

    assert world.calls.states == ["unknown"]


@pytest.mark.parametrize(
    "refusal",
    [
        RenderVoid(),
        RenderDeferred(12.0, "the gate is closed"),
        CallUnderWay(60.0, "another worker's call is under way"),
        RenderFailed(failure("OUTCOME_UNKNOWN")),
    ],
)
async def test_no_call_is_made_that_the_books_refuse(world: World, refusal: Exception) -> None:
    world.calls = Refusing(refusal)

    with pytest.raises(type(refusal)) as raised:
        await world.render()

    assert raised.value is refusal
    assert world.fake.ledger == []


async def test_connecting_gives_up_before_the_whole_call_does(world: World) -> None:
    asked: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(400)

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as world.http:
        await world.failure(timeout=30.0)

    (timeout,) = [request.extensions["timeout"] for request in asked]
    assert timeout["pool"] + timeout["connect"] < timeout["read"] == 30.0
