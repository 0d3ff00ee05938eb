"""What one user may ask for: when there is room, and when there will be."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from chassis.errors import Quota
from chassis.settings import SettingsError
from services.generation.limits import Limits, Load
from services.generation.refusals import TooManyActiveJobs, TooManySubmits
from tests.builders import NOON
from tests.generation_service import settings


def ago(seconds: float) -> Load:
    """Three submissions within the minute, the first of them so long ago."""
    return Load(NOON, active_jobs=2, submits=3, oldest=NOON - timedelta(seconds=seconds))


def test_without_limits_there_is_always_room_and_no_quota() -> None:
    unlimited = Limits()

    unlimited.check(Load(NOON, active_jobs=10**6, submits=10**6, oldest=NOON))

    assert not unlimited
    assert unlimited.quota(ago(1)) is None


@pytest.mark.parametrize(("limit", "used", "refused"), [(3, 2, False), (3, 3, True), (3, 4, True), (1, 0, False)])
def test_each_limit_is_reached_exactly_when_it_is_used_up(limit: int, used: int, refused: bool) -> None:
    load = Load(NOON, active_jobs=used, submits=used, oldest=NOON)

    for limits, error in ((Limits(limit, 0), TooManyActiveJobs), (Limits(0, limit), TooManySubmits)):
        if refused:
            with pytest.raises(error):
                limits.check(load)
        else:
            limits.check(load)


@pytest.mark.parametrize(
    ("first", "wait"), [(0, 60), (0.000001, 60), (1, 59), (19.5, 41), (59, 1), (59.999999, 1), (-5, 65)]
)
def test_the_wait_is_until_the_oldest_leaves_the_minute_rounded_up(first: float, wait: int) -> None:
    with pytest.raises(TooManySubmits) as refused:
        Limits(0, 3).check(ago(first))

    assert refused.value.retry_after == wait
    assert refused.value.quota == Quota(3, 0, wait)
    assert refused.value.metadata == {"limit": "3", "retry_after": str(wait)}


def test_too_many_jobs_under_way_say_how_many_and_leave_the_quota_alone() -> None:
    with pytest.raises(TooManyActiveJobs) as refused:
        Limits(2, 10).check(ago(20))

    assert refused.value.quota == Quota(10, 7, 40)
    assert refused.value.metadata == {"limit": "2"}
    assert refused.value.retry_after == 5


def test_the_limit_with_a_known_end_is_told_first() -> None:
    with pytest.raises(TooManySubmits):
        Limits(1, 1).check(ago(20))


def test_what_is_left_counts_down_with_each_submission() -> None:
    limits, load, left = Limits(0, 3), Load(NOON), []

    for _ in range(3):
        load = load.with_one_more()
        left.append(limits.quota(load))

    assert left == [Quota(3, 2, 60), Quota(3, 1, 60), Quota(3, 0, 60)]
    assert limits.quota(Load(NOON)) == Quota(3, 3, 0)


@pytest.mark.parametrize(("environment", "limits"), [("local", (0, 0)), ("production", (100, 300))])
def test_limits_are_on_in_production_unless_told_otherwise(
    tmp_path: Path, environment: str, limits: tuple[int, int]
) -> None:
    usual = settings(tmp_path, STUDIO_ENV=environment)
    told = settings(tmp_path, STUDIO_ENV=environment, MAX_ACTIVE_JOBS="0", SUBMITS_PER_MINUTE="7")

    assert (usual.max_active_jobs, usual.submits_per_minute) == limits
    assert (told.max_active_jobs, told.submits_per_minute) == (0, 7)


@pytest.mark.parametrize("limit", ["-1", "1000001", "many", "1.5"])
def test_a_limit_is_a_number_of_jobs(tmp_path: Path, limit: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, MAX_ACTIVE_JOBS=limit, SUBMITS_PER_MINUTE=limit, STUDIO_ENV="moon")

    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == [
        "MAX_ACTIVE_JOBS", "STUDIO_ENV", "SUBMITS_PER_MINUTE",
    ]  # fmt: skip
