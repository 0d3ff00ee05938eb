"""Bytes go for good, and what a crash left half-done is finished."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from chassis.errors import Unavailable
from chassis.patience import describe
from services.storage.domain import Asset, AssetNotFound, PictureLost, State
from services.storage.ports import AssetStore, Blobs, Clock
from services.storage.usecases.moving import Moves
from services.storage.usecases.uploading import Uploading

log = logging.getLogger(__name__)

ABANDONED_AFTER = timedelta(days=1)
"""How long an asset may be in writing: longer than any render is kept, so that nobody can finish it after that."""
RECOVER_EVERY = 60.0


class Removal:
    """Deletes bytes, and then says so in the row."""

    def __init__(self, store: AssetStore, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs

    async def finish(self, asset: Asset) -> None:
        """Ends what `deleting` and `abandoning` began; harmless when repeated."""
        # In this order: what a mover takes from the key just before is found under the next one.
        for key in (asset.key, asset.next_key, asset.old_key):
            if key is not None:
                await self._blobs.delete(key)
        await self._store.finish_removal(asset)


class Recovery:
    """Finishes what processes that are no more have begun."""

    def __init__(self, store: AssetStore, moves: Moves, removal: Removal, uploading: Uploading, clock: Clock) -> None:
        self._store = store
        self._moves = moves
        self._removal = removal
        self._uploading = uploading
        self._clock = clock

    async def run(self) -> None:
        """At the start and every minute, until it is cancelled."""
        while True:
            try:
                await self.recover()
            except Unavailable as error:
                log.warning("not recovered yet", extra={"why": describe(error)})
            await asyncio.sleep(RECOVER_EVERY)

    async def recover(self) -> None:
        """Finishes all that can be finished now; one that cannot does not stand in the way of the others."""
        for asset in await self._store.unfinished(self._clock() - ABANDONED_AFTER):
            try:
                await self._finish(asset)
            except Unavailable as error:
                log.warning("not recovered yet", extra={"asset_id": asset.id, "why": describe(error)})
            except AssetNotFound:
                log.debug("somebody else removed it", extra={"asset_id": asset.id})
            except PictureLost:
                log.debug("it was said already", extra={"asset_id": asset.id})
        await self._uploading.recover()

    async def _finish(self, asset: Asset) -> None:
        if asset.state is State.STORED:
            await self._moves.settle(asset)
            return
        if asset.state is State.WRITING:
            abandoned = await self._store.abandon(asset.item.job_id, asset.item.item)
            if abandoned is None or abandoned.state is not State.ABANDONING:
                return
            asset = abandoned
        await self._removal.finish(asset)
