"""Runs a system until somebody presses Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from deploy.local.system import LocalSystem


async def run_in_foreground(system: LocalSystem, announce: Callable[[str], None]) -> None:
    """Starts a system, announces its address when it is ready, and returns when a signal stopped it.

    A second signal does not wait for parts that take their time to stop.
    """
    stopping = False
    living = asyncio.create_task(_live(system, announce))

    def on_signal() -> None:
        nonlocal stopping
        if stopping:
            system.abandon()
        else:
            stopping = True
            living.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    try:
        await living
    except asyncio.CancelledError:
        if not stopping:
            raise


async def _live(system: LocalSystem, announce: Callable[[str], None]) -> None:
    async with system:
        await system.wait_ready()
        announce(f"ready {system.url}")
        await asyncio.Event().wait()
