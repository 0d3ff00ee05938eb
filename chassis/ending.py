"""Ending tasks for certain."""

import asyncio
from typing import Any


async def end(task: asyncio.Future[Any], *, patience: float) -> None:
    """Cancels a task until it is over, again after each `patience` seconds.

    Once is not enough: in Python 3.11 `asyncio.wait_for`, which nats-py uses throughout, swallows a cancellation that
    arrives together with the result it waits for.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=patience)
