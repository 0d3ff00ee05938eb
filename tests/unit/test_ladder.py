"""What follows when a paid call brings no picture: another one, later, or none."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generation.domain import RenderDeferred, RenderFailed
from services.generation.picture_ports import Attempt
from services.generation.providers.ladder import (
    BUSY_FOR,
    LONGEST_HINT,
    Again,
    Billed,
    Ladder,
    Miss,
    no_answer,
    retry_after,
)
from services.generation.providers.timing import Timing
from tests.builders import NOON

DOWN = Miss("PROVIDER_ERROR", "HTTP 503", Billed.NO, Again.LATER)
BUSY = Miss("PROVIDER_RATE_LIMIT", "HTTP 429", Billed.NO, Again.LATER)
SILENT = Miss("OUTCOME_UNKNOWN", "ReadTimeout", Billed.MAYBE, Again.LATER)
REFUSED = Miss("CONTENT_POLICY", "IMAGE_SAFETY", Billed.YES, Again.WITH_ANOTHER_SEED)


@dataclass
class Render:
    """The ladder of one render, the waits on it and the gate beside it."""

    jitter: float = 0.0
    waits: list[float] = field(default_factory=list)
    closed_for: list[float] = field(default_factory=list)
    ladder: Ladder = field(init=False)

    def __post_init__(self) -> None:
        self.ladder = Ladder(self, Timing(sleep=self._sleep, jitter=lambda: self.jitter))

    async def climb(self, *misses: Miss) -> None:
        for miss in misses:
            await self.ladder.climb(miss)

    async def close_gate(self, seconds: float) -> None:
        self.closed_for.append(seconds)

    def attempt(self) -> AbstractAsyncContextManager[Attempt]:
        raise AssertionError("a ladder makes no calls")

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


async def test_three_retries_follow_and_each_waits_longer() -> None:
    render = Render()

    await render.climb(DOWN, DOWN, DOWN)
    with pytest.raises(RenderFailed) as failed:
        await render.climb(DOWN)

    assert render.waits == [1.0, 2.0, 4.0]
    assert failed.value.failure.reason == "PROVIDER_ERROR"


async def test_a_hint_that_the_next_rung_covers_is_waited_for_on_the_ladder() -> None:
    render = Render()

    await render.climb(replace(DOWN, hint=1.0), replace(BUSY, hint=0.5), replace(BUSY, hint=3.5))

    assert render.waits == [1.0, 2.0, 4.0]
    assert render.closed_for == []


async def test_no_two_workers_come_back_at_the_same_moment() -> None:
    render = Render(jitter=0.25)

    await render.climb(DOWN, replace(DOWN, hint=0.5))

    assert render.waits == [1.25, 2.25]


@pytest.mark.parametrize("hint", [1.1, 37.0])
@pytest.mark.parametrize("miss", [BUSY, DOWN, SILENT])
async def test_who_asks_for_more_gets_the_gate_closed_and_the_item_put_back(miss: Miss, hint: float) -> None:
    render = Render()

    with pytest.raises(RenderDeferred) as deferred:
        await render.climb(replace(miss, hint=hint))

    assert deferred.value.seconds == hint
    assert render.closed_for == [hint]
    assert render.waits == []


async def test_who_is_too_busy_on_every_rung_is_left_alone_for_a_while() -> None:
    render = Render()

    with pytest.raises(RenderDeferred) as deferred:
        await render.climb(BUSY, BUSY, BUSY, BUSY)

    assert deferred.value.seconds == BUSY_FOR
    assert render.closed_for == [BUSY_FOR]


async def test_a_call_that_got_no_answer_is_repeated_once() -> None:
    render = Render()

    await render.climb(SILENT)
    with pytest.raises(RenderFailed) as failed:
        await render.climb(SILENT)

    assert render.waits == [1.0]
    assert failed.value.failure.reason == "OUTCOME_UNKNOWN"


async def test_unpaid_calls_between_two_silences_change_nothing() -> None:
    render = Render()

    await render.climb(SILENT, DOWN)
    with pytest.raises(RenderFailed) as failed:
        await render.climb(SILENT)

    assert failed.value.failure.reason == "OUTCOME_UNKNOWN"


async def test_another_seed_is_tried_at_once_and_once() -> None:
    render = Render()

    await render.climb(REFUSED)
    with pytest.raises(RenderFailed) as failed:
        await render.climb(REFUSED)

    assert render.waits == []
    assert failed.value.failure.reason == "CONTENT_POLICY"


async def test_another_seed_is_one_of_the_four_calls() -> None:
    render = Render()

    await render.climb(DOWN, REFUSED, DOWN)
    with pytest.raises(RenderFailed):
        await render.climb(DOWN)

    assert render.waits == [1.0, 4.0]


async def test_what_is_final_is_final_and_keeps_its_own_mind_about_retries() -> None:
    render = Render()

    with pytest.raises(RenderFailed) as failed:
        await render.climb(Miss("PROVIDER_QUOTA", "limit: 0", Billed.NO, hint=37.0, retryable=False))

    assert failed.value.failure.reason == "PROVIDER_QUOTA"
    assert failed.value.failure.retryable is False
    assert render.closed_for == []


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Miss, st.sampled_from(["PROVIDER_RATE_LIMIT", "PROVIDER_ERROR"]), st.just("drawn"),
            st.sampled_from(Billed), st.sampled_from(Again), st.floats(0, 100),
        ), min_size=4, max_size=4,
    )
)  # fmt: skip
async def test_no_row_of_misses_leads_past_four_calls_or_two_that_were_billed(misses: list[Miss]) -> None:
    render = Render()
    made = []

    with pytest.raises((RenderFailed, RenderDeferred)):
        for miss in misses:
            made.append(miss)
            await render.climb(miss)

    assert len(made) <= 4
    assert sum(miss.billed is not Billed.NO for miss in made) <= 2


@pytest.mark.parametrize(
    ("error", "reason", "billed"),
    [
        (httpx.ConnectError("refused"), "PROVIDER_ERROR", Billed.NO),
        (httpx.ConnectTimeout("slow"), "PROVIDER_TIMEOUT", Billed.NO),
        (httpx.PoolTimeout("full"), "PROVIDER_TIMEOUT", Billed.NO),
        (httpx.ProxyError("refused"), "PROVIDER_ERROR", Billed.NO),
        (httpx.ReadTimeout("slow"), "OUTCOME_UNKNOWN", Billed.MAYBE),
        (httpx.WriteTimeout("slow"), "OUTCOME_UNKNOWN", Billed.MAYBE),
        (httpx.ReadError("reset"), "OUTCOME_UNKNOWN", Billed.MAYBE),
        (httpx.WriteError("reset"), "OUTCOME_UNKNOWN", Billed.MAYBE),
        (httpx.RemoteProtocolError("disconnected"), "OUTCOME_UNKNOWN", Billed.MAYBE),
        (httpx.DecodingError("not gzip"), "OUTCOME_UNKNOWN", Billed.MAYBE),
        (TimeoutError(), "OUTCOME_UNKNOWN", Billed.MAYBE),
    ],
)
def test_only_what_was_never_sent_is_surely_unpaid(
    error: httpx.HTTPError | TimeoutError, reason: str, billed: Billed
) -> None:
    miss = no_answer(error)

    assert (miss.reason, miss.billed, miss.again) == (reason, billed, Again.LATER)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0), ("", 0), ("7", 7), (" 7 ", 7), ("1.5", 1.5), ("0", 0), ("99999999", LONGEST_HINT),
        (format_datetime(NOON + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOON - timedelta(seconds=90), usegmt=True), 0),
        (format_datetime(NOON + timedelta(days=90), usegmt=True), LONGEST_HINT),
        ("Thu, 01 Jan 2026 12:00:05 -0000", 5),
        ("-5", 0), ("soon", 0), ("1e9", 0), ("nan", 0), ("Thu, 99 Jan 2026 12:00:00 GMT", 0),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float) -> None:
    assert retry_after(header, NOON) == seconds


@settings(deadline=None)
@given(st.text() | st.from_regex(r"\A[A-Z][a-z]{2}, [0-9]{2} Jan [0-9]{4} [0-9:]{8} [+-][0-9]{4}\Z"))
def test_any_header_asks_for_no_more_than_a_day(header: str) -> None:
    assert 0 <= retry_after(header, NOON) <= LONGEST_HINT
