"""Whatever the Gemini API answers: a picture or a reason, at most four calls, and two that may have been billed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generation.domain import Picture, RenderDeferred, RenderFailed
from services.generation.failures import failure
from services.generation.providers.gemini import GeminiProvider
from services.generation.providers.timing import Timing
from tests.fakes.gemini_bodies import blocked, exhausted, image, overloaded, refused, served
from tests.fakes.paid_calls import InMemoryPaidCalls
from tests.pictures import a_picture
from tests.unit.gemini_world import GARBAGE, a_request

KNOWN = st.sampled_from(
    [served(image(a_picture())), served(), blocked(), refused("IMAGE_SAFETY"), refused("NO_IMAGE"), exhausted("3s"),
     exhausted("37s"), exhausted(limit=0), overloaded()]
)  # fmt: skip
BODIES = st.one_of(
    KNOWN, GARBAGE, st.fixed_dictionaries({"error": GARBAGE}), st.fixed_dictionaries({"candidates": GARBAGE})
)
STATUSES = st.sampled_from([200, 200, 200, 400, 403, 404, 429, 429, 500, 503, 504]) | st.integers(200, 599)
HEADERS = st.fixed_dictionaries({}, optional={"retry-after": st.sampled_from(["1", "30", "soon", "-1", "1e9"])})
ANSWERS = st.builds(
    lambda status, body, headers: httpx.Response(status, content=json.dumps(body).encode(), headers=headers),
    STATUSES, BODIES, HEADERS,
)  # fmt: skip
ERRORS = st.sampled_from(
    [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.ReadTimeout("slow"),
     httpx.RemoteProtocolError("cut"), httpx.ReadError("reset")]
)  # fmt: skip
SCRIPTS = st.lists(ANSWERS | ERRORS, min_size=5, max_size=5)

Outcome = Picture | RenderFailed | RenderDeferred


def answering(script: list[Any], asked: list[httpx.Request]) -> httpx.MockTransport:
    turns: Iterator[Any] = iter(script)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        turn = next(turns)
        if isinstance(turn, Exception):
            raise turn
        assert isinstance(turn, httpx.Response)
        return turn

    return httpx.MockTransport(answer)


async def no_sleep(_: float) -> None:
    """Time is not what is tested."""


async def render(script: list[Any], calls: InMemoryPaidCalls) -> tuple[Outcome, int]:
    """How a render ends, and how often it asked."""
    asked: list[httpx.Request] = []
    async with httpx.AsyncClient(transport=answering(script, asked)) as http:
        provider = GeminiProvider(http, api_key="key", timing=Timing(sleep=no_sleep))
        try:
            return await provider.render(a_request(), calls), len(asked)
        except (RenderFailed, RenderDeferred) as error:
            return error, len(asked)


@settings(deadline=None)
@given(SCRIPTS)
async def test_every_render_ends_in_a_picture_or_a_reason_and_within_its_budget(script: list[Any]) -> None:
    calls = InMemoryPaidCalls()

    outcome, asked = await render(script, calls)

    if isinstance(outcome, RenderFailed):
        assert outcome.failure.message == failure(outcome.failure.reason).message
    assert calls.gate == (outcome.seconds if isinstance(outcome, RenderDeferred) else 0.0)
    assert asked == len(calls.states) <= 4
    assert sum(state != "unpaid" for state in calls.states) <= 2


@settings(deadline=None)
@given(SCRIPTS)
async def test_no_call_that_may_have_been_billed_is_written_down_as_unpaid(script: list[Any]) -> None:
    calls = InMemoryPaidCalls()

    await render(script, calls)

    for turn, state in zip(script, calls.states, strict=False):
        if isinstance(turn, httpx.Response) and turn.is_success:
            assert state == "paid"
        if isinstance(turn, httpx.ReadTimeout | httpx.RemoteProtocolError | httpx.ReadError):
            assert state == "unknown"
