"""A render from the queue is kept, or its item fails."""

from __future__ import annotations

from chassis.errors import Unavailable
from services.storage.domain import (
    NOT_SAVED,
    NOT_USABLE,
    TOO_LATE,
    Asset,
    BytesDamaged,
    NotAPicture,
    State,
    StoreFailure,
    StoreOrder,
)
from services.storage.ports import AssetStore, Clock, RenderMissing, Renders
from services.storage.usecases.keeping import Keeper


class Storing:
    """Answers with the id of the item's asset, or with why there is none; the same again when asked again."""

    def __init__(self, store: AssetStore, renders: Renders, keeper: Keeper, clock: Clock) -> None:
        self._store = store
        self._renders = renders
        self._keeper = keeper
        self._clock = clock

    async def store_render(self, order: StoreOrder, *, is_first_try: bool) -> str | StoreFailure:
        """Keeps the render.

        Raises:
            Unavailable: there is still time to try again.
        """
        asset = await self._store.of_item(order.item.job_id, order.item.item)
        if asset is not None and asset.state is not State.WRITING:
            return _result(asset)
        if self._is_over(order):
            failure = TOO_LATE if is_first_try else NOT_SAVED
        else:
            try:
                data = await self._renders.get(order.render_key)
                return _result(await self._keeper.keep(order.item, data, order.sha256))
            except NotAPicture:
                failure = NOT_USABLE
            except (RenderMissing, BytesDamaged):
                failure = NOT_SAVED
            except Unavailable:
                if not self._is_over(order):
                    raise
                failure = NOT_SAVED
        return await self.give_up(order.item.job_id, order.item.item, failure)

    async def give_up(self, job_id: str, item: int, failure: StoreFailure) -> str | StoreFailure:
        """Sees to it that what was begun for the item is never stored, unless it is already."""
        asset = await self._store.abandon(job_id, item)
        return failure if asset is None or _was_never_stored(asset) else asset.id

    def _is_over(self, order: StoreOrder) -> bool:
        return self._clock() >= order.finish_by


def _result(asset: Asset) -> str | StoreFailure:
    # What its owner has deleted since was stored all the same, and is not made again.
    return NOT_SAVED if _was_never_stored(asset) else asset.id


def _was_never_stored(asset: Asset) -> bool:
    return asset.state in (State.ABANDONING, State.ABANDONED)
