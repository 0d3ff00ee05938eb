"""Has storage delete what was stored for jobs that ended without it: cancelled, or late."""

from __future__ import annotations

import asyncio
import logging

from chassis.errors import Unavailable
from chassis.patience import Trouble
from services.generation.ports import AssetRemoval, Discards

log = logging.getLogger(__name__)

EVERY = 1.0
AT_ONCE = 50


async def discard_for_ever(discards: Discards, removal: AssetRemoval) -> None:
    """Every second; ends only by cancellation."""
    trouble = Trouble(log, "not discarding for now")
    while True:
        try:
            await discard(discards, removal)
            trouble.over()
        except Unavailable as error:
            trouble.tell(error)
        await asyncio.sleep(EVERY)


async def discard(discards: Discards, removal: AssetRemoval) -> None:
    """Deletes what waits to be; what cannot be deleted now waits on, and holds up nothing else. Raises Unavailable."""
    trouble: Unavailable | None = None
    for asset_id in await discards.waiting(AT_ONCE):
        try:
            await removal.remove(asset_id)
            await discards.done(asset_id)
        except Unavailable as error:
            trouble = error
    if trouble is not None:
        raise trouble
