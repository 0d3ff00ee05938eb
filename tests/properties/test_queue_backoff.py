"""Waiting longer after each failure, within bounds."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.queue.backoff import backoff


@given(failures=st.integers(min_value=0, max_value=10**9))
def test_a_wait_stays_within_its_bounds(failures: int) -> None:
    assert 0.5 <= backoff(failures, first=1.0, most=30.0) <= 30.0


@given(failures=st.integers(min_value=1, max_value=5))
def test_each_failure_doubles_the_wait_up_to_the_jitter(failures: int) -> None:
    full = 2.0 ** (failures - 1)

    assert full / 2 <= backoff(failures, first=1.0, most=30.0) <= full


@given(failures=st.integers(min_value=6, max_value=10**9))
def test_many_failures_wait_the_most(failures: int) -> None:
    assert 15.0 <= backoff(failures, first=1.0, most=30.0) <= 30.0
