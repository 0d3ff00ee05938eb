"""Speed as CI can judge it: what we take of a processor, beside what nobody can do without."""

from __future__ import annotations

import pytest

from benchmarks.guard import MOST, ratio


@pytest.mark.timeout(90)
async def test_to_read_a_job_costs_little_more_than_to_answer_at_all() -> None:
    assert await ratio() <= MOST
