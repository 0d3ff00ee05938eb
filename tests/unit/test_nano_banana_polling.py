"""A call that the Nano Banana API accepts and finishes later."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.generation.providers.nano_banana_errors import GenerationTimeoutError
from tests.fakes.http_server import Answer, Hangup, Response
from tests.fakes.nano_banana import a_json, accepts, progress
from tests.unit.nano_banana_world import World, nano_banana_world

CUT_IN_BODY = Hangup(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"status": "comp')


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with nano_banana_world() as world:
        yield world


async def test_an_accepted_call_is_asked_about_each_second_until_it_is_done(world: World) -> None:
    world.api.script.append(accepts(progress("pending"), progress("processing")))

    await world.render()

    assert (world.posts, world.waits, world.calls.states, len(world.ledger)) == (1, [1, 1, 1], ["paid"], 1)


async def test_while_an_accepted_call_is_asked_about_its_attempt_stays_open(world: World) -> None:
    seen: list[list[str]] = []

    async def look(_: float) -> None:
        seen.append(world.calls.states)

    world.time.during_sleep = look
    world.api.script.append(accepts(progress("pending")))

    await world.render()

    assert seen == [["sending"], ["sending"]]


async def test_an_accepted_call_that_is_never_done_times_out_and_is_not_made_again(world: World) -> None:
    world.api.script.append(accepts(*[progress("processing")] * 40))

    with pytest.raises(GenerationTimeoutError) as caught:
        await world.generate()

    assert caught.value.reason == "PROVIDER_TIMEOUT"
    assert (world.posts, world.waits, world.calls.states) == (1, [1] * 30, ["unknown"])


@pytest.mark.parametrize("poll", [Response(500), Response(504), Response(429), Hangup(), CUT_IN_BODY])
async def test_a_question_that_fails_in_passing_is_asked_again(world: World, poll: Answer) -> None:
    world.api.script.append(accepts(poll, poll))

    await world.render()

    assert (world.posts, world.waits, world.calls.states) == (1, [1, 1, 1], ["paid"])


@pytest.mark.parametrize(
    ("poll", "reason"),
    [
        (progress("failed", error={"code": "content_policy_violation", "message": "no"}), "CONTENT_POLICY"),
        (progress("failed", error={"code": "out_of_memory", "message": "no"}), "PROVIDER_ERROR"),
        (progress("failed", error="no"), "PROVIDER_ERROR"),
        (progress("failed"), "PROVIDER_ERROR"),
        (a_json({"status": 7}), "PROVIDER_ERROR"),
        (Response(200, body=b"<html>"), "PROVIDER_ERROR"),
        (Response(401), "PROVIDER_AUTH"),
        (Response(404), "PROVIDER_ERROR"),
    ],
)
async def test_an_accepted_call_that_ends_badly_may_have_been_billed(world: World, poll: Answer, reason: str) -> None:
    world.api.script.append(accepts(poll))

    assert (await world.failure()).reason == reason

    assert (world.posts, world.waits, world.calls.states) == (1, [1], ["unknown"])
