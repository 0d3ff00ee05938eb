"""A picture comes in: the row first, then its bytes."""

from __future__ import annotations

from dataclasses import replace

from chassis.errors import Invalid, Unavailable
from services.storage.domain import Asset, AssetNotFound, Item, NotAPicture, Picture, State, new_key
from services.storage.ports import AssetStore, Blobs, Clock, Pictures


class Keeper:
    """Keeps pictures, each item's once however often it is brought."""

    def __init__(self, store: AssetStore, blobs: Blobs, pictures: Pictures, clock: Clock) -> None:
        self._store = store
        self._blobs = blobs
        self._pictures = pictures
        self._clock = clock

    async def keep(
        self, item: Item, data: bytes, sha256: str | None = None, palette_distance: float | None = None
    ) -> Asset:
        """Answers with the item's asset: the new one, the one there already, or what is left of a deleted one.

        Raises:
            BytesDamaged: these are not the bytes with that SHA-256.
            NotAPicture: nothing was written.
            Unavailable: some of it may have happened; bring the picture again.
        """
        picture = replace(await self._pictures.measure(data, sha256), palette_distance=palette_distance)
        asset = await self._begin(item, picture)
        if asset.state is not State.WRITING:
            return asset
        await self._blobs.write(asset.key, data, picture.content_type)
        return await self._store.mark_stored(asset, self._clock()) or await self._overtaken(asset)

    async def _begin(self, item: Item, picture: Picture) -> Asset:
        asset = await self._store.begin(item, picture, new_key(is_public=False), self._clock())
        while asset.state is State.WRITING and (asset.old_key is not None or asset.picture != picture):
            if asset.old_key is not None:
                await self._blobs.delete(asset.old_key)
                asset = await self._store.forget_old_key(asset)
            else:
                # An earlier attempt had other bytes and may still be writing them, so the two may not share a key.
                asset = await self._store.begin_again(asset, picture, new_key(is_public=False))
        return asset

    async def _overtaken(self, attempt: Asset) -> Asset:
        """While we wrote, the row moved on: our bytes stay only if they are the ones it speaks of."""
        asset = await self._store.of_item(attempt.item.job_id, attempt.item.item)
        if asset is None or asset.key != attempt.key or asset.state not in (State.WRITING, State.STORED):
            await self._blobs.delete(attempt.key)
        if asset is None or asset.state is State.WRITING:
            raise Unavailable("this picture is being stored by another call; try again in a moment")
        return asset


class Uploads:
    """Pictures that other services bring over gRPC."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    async def upload_asset(self, item: Item, data: bytes) -> Asset:
        """Keeps a picture.

        Raises:
            Invalid: the bytes are no picture.
            AssetNotFound: the item's asset was deleted; it does not come back.
        """
        try:
            asset = await self._keeper.keep(item, data)
        except NotAPicture as error:
            raise Invalid.field("chunk", str(error)) from error
        if asset.state is not State.STORED:
            raise AssetNotFound(asset.id)
        return asset
