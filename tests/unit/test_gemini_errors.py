"""Every error the Gemini API was seen to answer, and what it means."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generation.failures import failure
from services.generation.providers.gemini_errors import MEND_ACCOUNT, MEND_KEY, MEND_MODEL, MEND_TIER, read_error
from services.generation.providers.ladder import LONGEST_HINT, Again, Billed, Miss
from tests.fakes.gemini_bodies import (
    FREE_PER_DAY,
    FREE_PER_MINUTE,
    bad_key,
    error,
    exhausted,
    invalid_argument,
    model_gone,
    no_billing,
    overloaded,
    quota_failure,
    retry_info,
)
from tests.unit.gemini_world import GARBAGE


def read(status: int, body: Any, header_hint: float = 0.0) -> Miss:
    return read_error(status, json.dumps(body).encode(), header_hint)


def busy(message: str, *details: Any) -> Any:
    return error(429, "RESOURCE_EXHAUSTED", message, *details)


@pytest.mark.parametrize(
    ("status", "body", "reason", "mend"),
    [
        (400, invalid_argument(), "PROVIDER_ERROR", ""),
        (400, bad_key(), "PROVIDER_AUTH", MEND_KEY),
        (400, no_billing(), "PROVIDER_AUTH", MEND_ACCOUNT),
        (401, error(401, "UNAUTHENTICATED", "no credentials"), "PROVIDER_AUTH", MEND_KEY),
        (403, error(403, "PERMISSION_DENIED", "service disabled"), "PROVIDER_AUTH", MEND_KEY),
        (404, model_gone("gemini-9"), "PROVIDER_ERROR", MEND_MODEL),
        (413, None, "PROVIDER_ERROR", ""),
        (302, None, "PROVIDER_ERROR", ""),
    ],
)
def test_what_asking_again_cannot_change_is_not_asked_again(status: int, body: Any, reason: str, mend: str) -> None:
    miss = read(status, body)

    assert (miss.reason, miss.again, miss.billed, miss.mend) == (reason, Again.NEVER, Billed.NO, mend)
    assert failure(miss.reason, retryable=miss.retryable).retryable is False


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_service_that_is_down_was_not_paid(status: int) -> None:
    miss = read(status, overloaded())

    assert (miss.reason, miss.again, miss.billed) == ("PROVIDER_ERROR", Again.LATER, Billed.NO)


@pytest.mark.parametrize("status", [504, 520, 524])
def test_a_gateway_that_gave_up_waiting_may_have_been_paid(status: int) -> None:
    miss = read(status, error(504, "DEADLINE_EXCEEDED", "The service is unable to finish within the deadline."))

    assert (miss.reason, miss.again, miss.billed) == ("OUTCOME_UNKNOWN", Again.LATER, Billed.MAYBE)


def test_a_day_without_quota_is_not_waited_for() -> None:
    miss = read(429, exhausted("41s", FREE_PER_DAY))

    assert (miss.reason, miss.again, miss.retryable) == ("PROVIDER_QUOTA", Again.NEVER, None)


def test_one_daily_quota_among_others_is_enough() -> None:
    both = busy("Too many.", quota_failure(FREE_PER_MINUTE), quota_failure(FREE_PER_DAY), retry_info("37s"))

    assert read(429, both).reason == "PROVIDER_QUOTA"


def test_a_limit_of_0_is_waited_for_by_nobody() -> None:
    miss = read(429, exhausted("37s", FREE_PER_DAY, limit=0))

    assert (miss.reason, miss.again, miss.retryable, miss.mend) == ("PROVIDER_QUOTA", Again.NEVER, False, MEND_TIER)


@pytest.mark.parametrize("message", ["limit: 10", "limit: 0.5", "limit: 05", "unlimit: 0"])
def test_a_limit_that_only_looks_like_0_is_none(message: str) -> None:
    assert read(429, busy(message)).reason == "PROVIDER_RATE_LIMIT"


@pytest.mark.parametrize(
    ("body", "header", "hint"),
    [
        (exhausted("37s"), 0.0, 37.0),
        (exhausted("21926s"), 0.0, 21926.0),
        (busy("Slow down.", retry_info("1.5s")), 0.0, 1.5),
        (busy("Slow down.", retry_info("1.5s")), 5.0, 5.0),
        (busy("Please retry in 37.2s."), 0.0, 37.2),
        (busy("Please retry in 859.5ms."), 0.0, 0.8595),
        (busy("Please retry in 9h37m19.9s."), 0.0, 34639.9),
        (busy("Please retry in 1m5s"), 0.0, 65.0),
        (busy("Please retry in 2s.", retry_info("37s")), 0.0, 37.0),
        ([exhausted("37s")], 0.0, 37.0),
        (busy("Slow down."), 0.0, 0.0),
        (busy("Please retry in a moment."), 0.0, 0.0),
        (busy("Slow down.", retry_info("soon")), 0.0, 0.0),
        (busy("Slow down.", retry_info("-5s")), 0.0, 5.0),
        (busy("Slow down.", retry_info("999999999999s")), 0.0, LONGEST_HINT),
        (busy("Slow down.", {"retryDelay": 5}), 0.0, 0.0),
        ({"error": "slow down"}, 3.0, 3.0),
        ("slow down", 0.0, 0.0),
        ([], 0.0, 0.0),
    ],
)
def test_the_longest_wait_that_is_asked_for_counts(body: Any, header: float, hint: float) -> None:
    miss = read(429, body, header)

    assert (miss.reason, miss.again, miss.billed) == ("PROVIDER_RATE_LIMIT", Again.LATER, Billed.NO)
    assert miss.hint == pytest.approx(hint)


def test_a_service_that_is_down_may_ask_for_patience_too() -> None:
    assert read(503, error(503, "UNAVAILABLE", "overloaded", retry_info("6s"))).hint == 6.0
    assert read(503, overloaded(), header_hint=7.0).hint == 7.0


def test_what_the_service_wrote_is_repeated_nowhere() -> None:
    body = error(400, "A SECRET", "A SECRET", {"reason": "A SECRET"})

    assert not any("SECRET" in repr(read(status, body)) for status in (400, 401, 404, 429, 500, 504))


@settings(deadline=None)
@given(st.integers(300, 599), GARBAGE | st.fixed_dictionaries({"error": GARBAGE}), st.floats(0, LONGEST_HINT))
def test_no_garbage_breaks_the_reader(status: int, body: Any, header_hint: float) -> None:
    miss = read(status, body, header_hint)

    assert failure(miss.reason)
    assert 0 <= miss.hint <= LONGEST_HINT


@settings(deadline=None)
@given(st.integers(300, 599), st.binary(max_size=200))
def test_no_bytes_break_the_reader(status: int, body: bytes) -> None:
    assert failure(read_error(status, body).reason)


@settings(deadline=None)
@given(st.text(alphabet="0123456789.hms Pleasrtyin", max_size=60))
def test_no_span_of_time_breaks_the_reader(span: str) -> None:
    assert 0 <= read(429, busy(f"Please retry in {span}", retry_info(span))).hint <= LONGEST_HINT
