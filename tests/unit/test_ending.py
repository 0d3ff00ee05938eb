"""Tasks end though they miss that they are told to."""

from __future__ import annotations

import asyncio

from chassis.ending import end


async def test_a_task_that_misses_a_cancellation_is_told_again() -> None:
    begun, missed = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            missed.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await begun.wait()

    await end(task, patience=0.01)

    assert missed.is_set() and task.cancelled()
