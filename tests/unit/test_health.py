"""What the log is told of a service that is not well."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from chassis.errors import Unavailable
from chassis.health import Health, Pace, publish_health
from tests.queueing import eventually


async def test_what_was_never_well_is_told_after_a_while_with_what_is_behind_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = Unavailable("away")
    error.__cause__ = RuntimeError("its disk is full")
    errors, asked = [error], 0

    async def check() -> None:
        nonlocal asked
        asked += 1
        raise errors[-1]

    def told() -> list[str]:
        return [getattr(each, "why", "") for each in caplog.records if each.message == "not healthy"]

    async def is_told(count: int) -> bool:
        return len(told()) == count

    pace = Pace(every=0.01, soon=0.005, patience=0.2)
    publishing = asyncio.create_task(publish_health(Health("ready"), "ready", check, pace))
    await eventually(partial(is_told, 1))
    asked_before = asked
    errors.append(Unavailable("gone altogether"))
    await eventually(partial(is_told, 2))
    publishing.cancel()

    assert told() == ["RuntimeError: its disk is full", "Unavailable: gone altogether"]
    assert asked_before > 2, "at a start much comes late, which is nothing to tell"
