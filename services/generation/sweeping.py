"""Removes renders that nobody will come for."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from chassis.errors import Unavailable
from chassis.renders import Renders
from services.generation.ports import RenderNames

log = logging.getLogger(__name__)

KEPT = timedelta(hours=24)
"""How long a render waits for the retry of its job."""
UNNAMED_FOR = timedelta(hours=1)
"""How long one that no item names may still be named by the worker that made it."""
EVERY = 600.0


class Sweeping:
    """A worker that dies between keeping a picture and saying so leaves it behind; another makes it anew."""

    def __init__(self, renders: Renders, names: RenderNames, *, unnamed_for: timedelta = UNNAMED_FOR) -> None:
        self._renders = renders
        self._names = names
        self._unnamed_for = unnamed_for

    async def sweep_for_ever(self) -> None:
        """Every ten minutes; ends only by cancellation."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.sweep()
            except Unavailable as error:
                log.warning("not sweeping for now", extra={"why": error.message})

    async def sweep(self) -> None:
        """Removes what is too old, and what no item that may need it names. Raises Unavailable."""
        await self._renders.sweep(KEPT)
        old = await self._renders.keys(self._unnamed_for)
        unnamed = set(old) - await self._names.needed_renders(old)
        for key in unnamed:
            await self._renders.delete(key)
        if unnamed:
            log.info("swept renders that nobody comes for", extra={"renders": len(unnamed)})
