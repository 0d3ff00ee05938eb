"""Calls of the Nano Banana API that are never answered: which were never sent, and which may have been billed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.generation.domain import CallUnderWay, RenderDeferred, RenderFailed
from services.generation.failures import failure
from tests.fakes.http_server import Answer, Hang, Hangup, Request, Response
from tests.fakes.nano_banana import FakeNanoBanana, bills_then, fails
from tests.fakes.paid_calls import Call
from tests.unit.nano_banana_world import World, nano_banana_world

CUT_IN_HEAD = Hangup(b"HTTP/1.1 200 OK\r\nContent-")
CUT_IN_BODY = Hangup(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"image_url": "http')
UNHEARD = [Hangup(), CUT_IN_HEAD, CUT_IN_BODY, Response(504), Response(524)]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with nano_banana_world() as world:
        yield world


@pytest.mark.parametrize("answer", UNHEARD)
@pytest.mark.parametrize(("honours_keys", "billed"), [(True, 1), (False, 2)])
async def test_what_may_have_been_billed_is_tried_once_more_at_most(
    answer: Answer, honours_keys: bool, billed: int
) -> None:
    async with nano_banana_world(honours_keys=honours_keys) as world:
        world.api.script.extend([bills_then(answer)] * 3)

        assert await world.failure() == failure("OUTCOME_UNKNOWN")

    assert (world.posts, world.waits, world.calls.states) == (2, [1], ["unknown", "unknown"])
    assert len(world.ledger) == billed
    assert {call.headers["idempotency-key"] for call in world.generated} == {"job-1:0"}


@pytest.mark.parametrize("answer", UNHEARD)
async def test_the_second_try_brings_what_the_first_one_paid_for(world: World, answer: Answer) -> None:
    world.api.script.append(bills_then(answer))

    await world.render()

    assert (world.posts, world.calls.states, len(world.ledger)) == (2, ["unknown", "paid"], 1)


@pytest.mark.parametrize("answer", [Hang(), Hang(b"HTTP/1.1 200 OK\r\n"), Response(drip=0.1, body=b"{" + b" " * 80)])
async def test_a_call_that_takes_too_long_as_a_whole_may_have_been_billed(answer: Answer) -> None:
    async with nano_banana_world(timeout=0.5) as world:
        world.api.script.append(bills_then(answer))

        await world.render()

    assert (world.posts, world.waits, world.calls.states, len(world.ledger)) == (2, [1], ["unknown", "paid"], 1)


async def test_unknown_and_unpaid_share_one_ladder(world: World) -> None:
    world.api.script.extend([fails(503), bills_then(Hangup()), fails(429)])

    await world.render()

    assert (world.posts, world.waits) == (4, [1, 2, 4])
    assert world.calls.states == ["unpaid", "unknown", "unpaid", "paid"]


async def test_a_last_call_that_may_have_been_billed_says_so(world: World) -> None:
    world.api.script.extend([fails(503), fails(503), fails(503), bills_then(Hangup())])

    assert await world.failure() == failure("OUTCOME_UNKNOWN")

    assert (world.posts, world.calls.states[-1]) == (4, "unknown")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx.ConnectError("no such name"), "PROVIDER_ERROR"),
        (httpx.ConnectTimeout("too slow"), "PROVIDER_TIMEOUT"),
        (httpx.PoolTimeout("too busy"), "PROVIDER_TIMEOUT"),
    ],
)
async def test_a_connection_that_is_never_made_costs_nothing(world: World, error: Exception, reason: str) -> None:
    world.wire.lost.extend([error] * 4)

    assert await world.failure() == failure(reason)

    assert (world.posts, world.waits, world.calls.states) == (4, [1, 2, 4], ["unpaid"] * 4)


async def test_a_port_that_refuses_is_tried_until_it_opens(world: World) -> None:
    async def open_at_four(seconds: float) -> None:
        if seconds == 4:
            await world.api.start()

    await world.api.close()
    world.time.during_sleep = open_at_four

    await world.render()

    assert (world.posts, world.calls.states) == (4, ["unpaid", "unpaid", "unpaid", "paid"])


async def test_a_handshake_that_fails_costs_nothing() -> None:
    async with nano_banana_world(scheme="https") as world:
        assert await world.failure() == failure("PROVIDER_ERROR")

    assert (world.posts, world.waits, world.calls.states) == (4, [1, 2, 4], ["unpaid"] * 4)


@pytest.mark.parametrize("refusal", ["spent", "under_way", "gate"])
async def test_a_call_that_may_not_be_made_is_not_made(world: World, refusal: str) -> None:
    expected: type[Exception] = {"spent": RenderFailed, "under_way": CallUnderWay, "gate": RenderDeferred}[refusal]
    world.calls.calls = {"spent": [Call("paid"), Call("unknown")], "under_way": [Call()], "gate": []}[refusal]
    world.calls.gate = 20 if refusal == "gate" else 0

    with pytest.raises(expected) as caught:
        await world.render()

    assert type(caught.value) is expected
    assert world.posts == 0


async def test_what_an_earlier_delivery_may_have_paid_counts(world: World) -> None:
    world.calls.calls.append(Call("unknown"))
    world.api.script.append(bills_then(Hangup()))

    assert await world.failure() == failure("OUTCOME_UNKNOWN")

    assert (world.posts, world.calls.states) == (1, ["unknown", "unknown"])


async def test_a_worker_that_is_stopped_leaves_its_call_unknown() -> None:
    async with nano_banana_world() as world:
        heard = asyncio.Event()

        def bill_and_hang(api: FakeNanoBanana, request: Request) -> Answer:
            api.make(request)
            heard.set()
            return Hang()

        world.api.script.append(bill_and_hang)
        render = asyncio.create_task(world.render())
        await heard.wait()

        render.cancel()
        with pytest.raises(asyncio.CancelledError):
            await render

    assert (world.posts, world.calls.states) == (1, ["unknown"])
