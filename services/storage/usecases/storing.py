"""A render from the queue is kept, or its item fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from chassis.patience import describe
from services.storage.domain import (
    NOT_SAVED,
    NOT_USABLE,
    Asset,
    BytesDamaged,
    NotAPicture,
    PlaceUnfit,
    State,
    StoreFailure,
    StoreOrder,
)
from services.storage.ports import AssetStore, RenderMissing, Renders
from services.storage.usecases.keeping import Keeper

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between tries of a place that somebody has to mend, who may be doing so. Then the streamer is told, and loses
nothing by it: the render stays for a retry."""

log = logging.getLogger(__name__)


class Storing:
    """Answers with the id of the item's asset, or with why there is none; the same again when asked again."""

    def __init__(
        self, store: AssetStore, renders: Renders, keeper: Keeper, *, pauses: Sequence[float] = PAUSES
    ) -> None:
        self._store = store
        self._renders = renders
        self._keeper = keeper
        self._pauses = pauses

    async def ended_as(self, job_id: str, item: int) -> str | StoreFailure | None:
        """What became of an item that was brought before; None when nothing has yet."""
        asset = await self._store.of_item(job_id, item)
        return None if asset is None or asset.state is State.WRITING else _result(asset)

    async def store_render(self, order: StoreOrder) -> str | StoreFailure:
        """Keeps the render. Raises Unavailable: it may be tried again."""
        try:
            data = await self._renders.get(order.render_key)
            return _result(await self._keep(order, data))
        except NotAPicture:
            failure = NOT_USABLE
        except (RenderMissing, BytesDamaged):
            failure = NOT_SAVED
        except PlaceUnfit as error:
            log.error("a picture is not kept: the place for it has to be mended", extra={"why": describe(error)})
            failure = NOT_SAVED
        return await self.give_up(order.item.job_id, order.item.item, failure)

    async def give_up(self, job_id: str, item: int, failure: StoreFailure) -> str | StoreFailure:
        """Sees to it that what was begun for the item is never stored, unless it is already."""
        asset = await self._store.abandon(job_id, item)
        return failure if asset is None or _was_never_stored(asset) else asset.id

    async def _keep(self, order: StoreOrder, data: bytes) -> Asset:
        for pause in self._pauses:
            try:
                return await self._keeper.keep(order.item, data, order.sha256, order.palette_distance)
            except PlaceUnfit as error:
                log.warning("a picture waits: the place for it has to be mended", extra={"why": describe(error)})
                await asyncio.sleep(pause)
        return await self._keeper.keep(order.item, data, order.sha256, order.palette_distance)


def _result(asset: Asset) -> str | StoreFailure:
    # What its owner has deleted since was stored all the same, and is not made again.
    return NOT_SAVED if _was_never_stored(asset) else asset.id


def _was_never_stored(asset: Asset) -> bool:
    return asset.state in (State.ABANDONING, State.ABANDONED)
