"""Property 13 of the seed: an API client retries at most three times; and pays for at most two of its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generation.providers.nano_banana_client import GenerationResponse
from services.generation.providers.nano_banana_errors import GenerationError, UnknownOutcomeError
from tests.fakes.http_server import Hangup, Response
from tests.fakes.nano_banana import Step, bills_then, fails, serves
from tests.unit.nano_banana_world import World, nano_banana_world


@dataclass(frozen=True, slots=True)
class Fault:
    """How one call fails."""

    name: str
    step: Step = serves
    lost: Exception | None = None
    """If it fails before it is sent."""

    def __repr__(self) -> str:
        return self.name


UNPAID = [
    *(Fault(str(status), fails(status)) for status in (429, 500, 502, 503)),
    Fault("429, come back in a second", fails(429, retry_after="1")),
    Fault("no connection", lost=httpx.ConnectError("refused")),
    Fault("a slow connection", lost=httpx.ConnectTimeout("too slow")),
]
UNKNOWN = [
    Fault("504", bills_then(Response(504))),
    Fault("cut", bills_then(Hangup())),
    Fault("cut in the middle", bills_then(Hangup(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"))),
    Fault("read timeout", lost=httpx.ReadTimeout("too slow")),
]


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one generation."""

    outcome: GenerationResponse | GenerationError
    posts: int
    waits: list[float]
    states: list[str]
    billed: int


def generate(faults: Sequence[Fault], *, honours_keys: bool = True) -> Seen:
    return asyncio.run(_generate(faults, honours_keys))


async def _generate(faults: Sequence[Fault], honours_keys: bool) -> Seen:
    async with nano_banana_world(honours_keys=honours_keys) as world:
        world.wire.lost.extend(fault.lost for fault in faults)
        world.api.script.extend(fault.step for fault in faults if fault.lost is None)
        outcome = await _outcome(world)
        return Seen(outcome, world.posts, world.waits, world.calls.states, len(world.ledger))


async def _outcome(world: World) -> GenerationResponse | GenerationError:
    try:
        return await world.generate()
    except GenerationError as error:
        return error


@given(st.lists(st.sampled_from(UNPAID), max_size=10))
@settings(max_examples=60, deadline=None)
def test_retry_count_limit(faults: list[Fault]) -> None:
    seen = generate(faults)

    assert seen.posts == min(len(faults) + 1, 4)
    assert isinstance(seen.outcome, GenerationResponse) == (len(faults) <= 3)
    assert seen.billed == seen.states.count("paid") == (len(faults) <= 3)
    assert len(seen.waits) == seen.posts - 1
    assert all(wait >= rung for wait, rung in zip(seen.waits, (1, 2, 4), strict=False))


@given(st.lists(st.sampled_from(UNPAID + UNKNOWN), max_size=10), st.booleans())
@settings(max_examples=100, deadline=None)
def test_at_most_two_calls_may_have_been_billed(faults: list[Fault], honours_keys: bool) -> None:
    seen = generate(faults, honours_keys=honours_keys)

    perhaps_billed = [state for state in seen.states if state != "unpaid"]
    assert len(seen.states) == seen.posts <= 4
    assert len(perhaps_billed) <= 2
    assert seen.billed <= (1 if honours_keys else len(perhaps_billed))
    assert isinstance(seen.outcome, GenerationResponse) == ("paid" in seen.states)


@given(st.lists(st.sampled_from(UNPAID), max_size=2), st.sampled_from(UNKNOWN), st.data())
@settings(max_examples=40, deadline=None)
def test_a_second_unknown_outcome_ends_it(unpaid: list[Fault], unknown: Fault, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(unpaid)))
    faults = [*unpaid[:first], unknown, *unpaid[first:], unknown, *UNPAID]

    seen = generate(faults)

    assert isinstance(seen.outcome, UnknownOutcomeError)
    assert (seen.posts, seen.states.count("unknown")) == (len(unpaid) + 2, 2)
