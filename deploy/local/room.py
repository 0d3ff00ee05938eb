"""Tells a person that the disk is full, for on a full disk no log can."""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path

from chassis.files import SCARCE, has_room
from deploy.local.parts import Say

LOOK_EVERY = 1.0
REMIND_EVERY = 60.0
"""Seconds between two lines while it lasts."""


async def watch_room(data_dir: Path, say: Say, *, look_every: float = LOOK_EVERY) -> None:
    """Says when the disk is full, once in a while as long as it is, and when it has room again."""
    said_at = -math.inf
    while True:
        full = not has_room(data_dir)
        if full and time.monotonic() - said_at >= REMIND_EVERY:
            said_at = time.monotonic()
            say(f"the disk of {data_dir} is full: until {SCARCE // 2**20} MiB are free, jobs wait")
        if not full and said_at != -math.inf:
            said_at = -math.inf
            say(f"the disk of {data_dir} has room again")
        await asyncio.sleep(look_every)
