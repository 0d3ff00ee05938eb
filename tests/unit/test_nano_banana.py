"""Every row of the Nano Banana contract: how many calls, after which waits, with which end, and what was billed."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest
from PIL import Image

from chassis.errors import Unavailable
from services.generation.failures import failure
from services.generation.providers.nano_banana_errors import RateLimitError
from tests.builders import NOON
from tests.fakes.http_server import Response
from tests.fakes.nano_banana import KEY, Step, a_json, answers, bills_then, fails, refuses
from tests.fakes.paid_calls import InMemoryPaidCalls
from tests.unit.nano_banana_world import PROMPT, World, a_request, nano_banana_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with nano_banana_world() as world:
        yield world


async def test_a_picture_is_one_call_and_has_the_size_that_was_asked_for(world: World) -> None:
    picture = await world.render()

    assert Image.open(io.BytesIO(picture.data)).size == a_request().size
    assert picture.content_type == "image/png"
    assert (world.posts, world.waits, world.calls.states, len(world.ledger)) == (1, [], ["paid"], 1)


async def test_a_call_says_what_the_contract_asks_for(world: World) -> None:
    await world.render()

    [call] = world.generated
    size = {"width": 1200, "height": 480}
    assert json.loads(call.body) == {"prompt": PROMPT, **size, "model": "default", "seed": 7}
    assert call.headers["authorization"] == f"Bearer {KEY}"
    assert call.headers["idempotency-key"] == "job-1:0"
    assert call.headers["content-type"] == "application/json"


async def test_a_seed_that_is_not_set_is_not_sent(world: World) -> None:
    response = await world.generate()

    assert "seed" not in json.loads(world.generated[0].body)
    assert (response.generation_id, response.seed, response.inference_time_ms) == ("generation-1", 1, 4200)


async def test_a_model_is_counted_by_the_name_of_its_provider(world: World) -> None:
    assert world.provider.model == "nano_banana:default"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_not_tried_again(world: World, status: int) -> None:
    world.api.script.append(fails(status))

    assert await world.failure() == failure("PROVIDER_AUTH")

    assert (world.posts, world.waits, world.calls.states, world.ledger) == (1, [], ["unpaid"], [])


@pytest.mark.parametrize("status", [400, 422])
async def test_what_is_against_the_content_policy_is_not_tried_again(world: World, status: int) -> None:
    world.api.script.append(refuses(status))

    assert await world.failure() == failure("CONTENT_POLICY")

    assert (world.posts, world.waits, world.calls.states, world.ledger) == (1, [], ["unpaid"], [])


@pytest.mark.parametrize("status", [302, 400, 404, 409, 413, 418, 422])
async def test_a_call_that_the_api_does_not_take_is_not_tried_again(world: World, status: int) -> None:
    world.api.script.append(fails(status, location="/elsewhere"))

    assert await world.failure() == failure("PROVIDER_ERROR", retryable=False)

    assert (world.posts, world.waits, world.calls.states, world.ledger) == (1, [], ["unpaid"], [])


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_what_is_known_to_be_unpaid_is_tried_again_on_the_ladder(world: World, status: int) -> None:
    world.api.script.extend([fails(status)] * 3)

    await world.render()

    assert (world.posts, world.waits) == (4, [1, 2, 4])
    assert (world.calls.states, len(world.ledger)) == (["unpaid", "unpaid", "unpaid", "paid"], 1)
    assert {call.headers["idempotency-key"] for call in world.generated} == {"job-1:0"}


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_an_api_that_keeps_failing_fails_the_picture_after_four_calls(world: World, status: int) -> None:
    world.api.script.extend([fails(status)] * 4)

    assert await world.failure() == failure("PROVIDER_ERROR")

    assert (world.posts, world.waits, world.calls.states, world.ledger) == (4, [1, 2, 4], ["unpaid"] * 4, [])


async def test_an_api_that_stays_busy_puts_the_item_off_and_closes_the_gate(world: World) -> None:
    world.api.script.extend([fails(429)] * 4)

    assert await world.deferred_for() == world.calls.gate == 30

    assert (world.posts, world.waits, world.calls.states, world.ledger) == (4, [1, 2, 4], ["unpaid"] * 4, [])


async def test_an_api_that_is_full_puts_the_item_off_and_takes_those_of_others(world: World) -> None:
    world.api.script.extend([fails(429, retry_after="1")] * 4)

    assert await world.deferred_for() == 4

    assert (world.posts, world.waits, world.calls.gate) == (4, [1, 2, 4], 0)


@pytest.mark.parametrize(
    ("retry_after", "waits"),
    [("1", [1, 2, 4]), ("0", [1, 2, 4]), ("-5", [1, 2, 4]), ("soon", [1, 2, 4]), ("", [1, 2, 4])],
)
async def test_a_retry_after_that_the_ladder_covers_is_waited_there(
    world: World, retry_after: str, waits: list[float]
) -> None:
    world.api.script.extend([fails(429, retry_after=retry_after)] * 3)

    await world.render()

    assert world.waits == waits


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("seconds", [2, 60])
@pytest.mark.parametrize("as_date", [False, True])
async def test_a_longer_retry_after_does_not_hold_the_worker(
    world: World, status: int, seconds: int, as_date: bool
) -> None:
    date = format_datetime(NOON + timedelta(seconds=seconds), usegmt=True)
    world.api.script.append(fails(status, retry_after=date if as_date else str(seconds)))

    assert await world.deferred_for() == world.calls.gate == seconds

    assert (world.posts, world.waits, world.calls.states) == (1, [], ["unpaid"])


async def test_a_rate_limit_says_when_to_come_back(world: World) -> None:
    world.api.script.append(fails(429, retry_after="8.5"))

    with pytest.raises(RateLimitError) as caught:
        await world.generate()

    assert caught.value.retry_after == 8.5


async def test_jitter_is_added_to_each_wait() -> None:
    async with nano_banana_world(jitter=0.25) as world:
        world.api.script.extend([fails(500), fails(429, retry_after="1")])

        await world.render()

    assert world.waits == [1.25, 2.25]


async def test_fewer_retries_may_be_asked_for() -> None:
    async with nano_banana_world(max_retries=1) as world:
        world.api.script.extend([fails(500)] * 3)

        assert (await world.failure()).reason == "PROVIDER_ERROR"

    assert (world.posts, world.waits) == (2, [1])


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Welcome</html>", b"[]", b"{}", b'{"image_url": 7}', b'{"image_url": null}', b"\xff", b"[" * 100_000],
)
@pytest.mark.parametrize("status", [200, 202])
async def test_a_served_call_without_a_picture_is_paid_and_not_made_again(
    world: World, status: int, body: bytes
) -> None:
    world.api.script.append(bills_then(Response(status, body=body)))

    assert await world.failure() == failure("PROVIDER_ERROR")

    assert (world.posts, world.waits, world.calls.states) == (1, [], ["paid"])


async def test_what_is_not_needed_may_be_missing_from_an_answer(world: World) -> None:
    world.api.script.append(answers(a_json({"image_url": "http://pictures.example/1", "seed": "7"})))

    response = await world.generate(seed=5)

    assert (response.generation_id, response.seed, response.inference_time_ms) == ("", 5, 0)


async def test_many_pictures_are_made_at_once(world: World) -> None:
    worlds = [replace(world, calls=InMemoryPaidCalls()) for _ in range(30)]

    pictures = await asyncio.gather(*(one.render(a_request(item=n, seed=n)) for n, one in enumerate(worlds)))

    assert len({picture.data for picture in pictures}) == len(world.ledger) == 30


async def test_an_api_that_is_well_is_ready(world: World) -> None:
    await world.provider.health()

    assert (world.posts, world.calls.states) == (0, [])


async def test_an_api_that_is_not_well_is_not_ready(world: World) -> None:
    world.api.is_well = False

    with pytest.raises(Unavailable):
        await world.provider.health()


async def test_an_api_that_is_not_there_is_not_ready(world: World) -> None:
    await world.api.close()

    with pytest.raises(Unavailable):
        await world.provider.health()


SECRET = answers(Response(200, body=b"secret"))


@pytest.mark.parametrize("step", [fails(401), fails(500), refuses(), fails(418), SECRET])
async def test_no_secret_and_no_word_of_others_is_logged_or_told(
    world: World, step: Step, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "services")
    world.api.script.extend([step] * 4)

    told = await world.failure()

    lines = [str(vars(record)) for record in caplog.records if record.name.startswith("services")]
    assert lines
    for text in [*lines, str(told)]:
        assert not any(word in text for word in (KEY, PROMPT, "own words", "secret", world.api.url))
