"""Waiting for what is down, without a thousand words about it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from chassis.errors import Unavailable
from chassis.patience import Trouble, describe, patiently

LOG = logging.getLogger("test")


@pytest.fixture(autouse=True)
def all_of_it(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO):
        yield


class Down:
    """Is unavailable so many times."""

    def __init__(self, times: int) -> None:
        self.calls = 0
        self._times = times

    async def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._times:
            raise Unavailable("the database is not available") from OSError(28, "No space left on device")
        return "done"


async def test_an_action_is_repeated_until_what_it_needs_is_there(caplog: pytest.LogCaptureFixture) -> None:
    action = Down(2)

    assert await patiently(action, Trouble(LOG, "waiting", {"job_id": "1"})) == "done"

    assert action.calls == 3
    began, over = caplog.records
    assert (began.getMessage(), over.getMessage()) == ("waiting", "no longer: waiting")
    assert began.__dict__["why"] == "OSError: [Errno 28] No space left on device"
    assert began.__dict__["job_id"] == over.__dict__["job_id"] == "1"


async def test_what_works_at_once_is_not_spoken_of(caplog: pytest.LogCaptureFixture) -> None:
    assert await patiently(Down(0), Trouble(LOG, "waiting")) == "done"

    assert caplog.records == []


async def test_patience_ends_with_the_error_that_was_its_cause() -> None:
    action = Down(9)

    with pytest.raises(Unavailable):
        await patiently(action, Trouble(LOG, "waiting"), within=0)

    assert action.calls == 1


async def test_another_error_is_not_waited_for() -> None:
    async def broken() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        await patiently(broken, Trouble(LOG, "waiting"))


def test_a_trouble_is_told_once_in_a_while_and_again_when_it_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble(LOG, "not dispatching")

    for _ in range(100):
        trouble.tell(Unavailable("away"))
    trouble.over()
    trouble.over()
    trouble.tell(Unavailable("away"))

    assert [record.getMessage() for record in caplog.records] == [
        "not dispatching", "no longer: not dispatching", "not dispatching",
    ]  # fmt: skip


def test_a_trouble_that_lasts_is_told_again(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble(LOG, "not dispatching", every=0)

    for _ in range(3):
        trouble.tell(Unavailable("away"))

    assert len(caplog.records) == 3


def test_what_is_described_is_the_cause() -> None:
    assert describe(ValueError("no")) == "ValueError: no"
