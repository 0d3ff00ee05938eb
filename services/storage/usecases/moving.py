"""An asset changes sides, public and private.

Its row says where its bytes go before they do, and is private until they have arrived. Whoever meets an asset on its
way, brings it to its end: so it does not matter who began, or whether they are still there.
"""

from __future__ import annotations

import logging

from services.storage.domain import Asset, AssetNotFound, BlobMissing, PictureLost, State, new_key
from services.storage.ports import AssetStore, Blobs

log = logging.getLogger(__name__)


class Moves:
    """Moves bytes under new keys, so that every link to the old ones dies."""

    def __init__(self, store: AssetStore, blobs: Blobs) -> None:
        self._store = store
        self._blobs = blobs

    async def change_side(self, asset: Asset, *, is_public: bool) -> Asset:
        """Makes an asset public or private; of two racing calls the later one has the last word.

        Raises:
            AssetNotFound: it was deleted meanwhile.
        """
        while True:
            asset = await self.settle(asset)
            if asset.is_public is is_public:
                return asset
            if await self._store.begin_move(asset, new_key(is_public=is_public)):
                return await self.settle(await self._stored(asset.id))
            asset = await self._stored(asset.id)

    async def settle(self, asset: Asset) -> Asset:
        """Finishes the move that an asset is found in; an asset at rest is answered as it is.

        Raises:
            AssetNotFound: it was deleted meanwhile.
            PictureLost: its bytes are nowhere.
        """
        while asset.next_key is not None:
            try:
                await self._blobs.move(asset.key, asset.next_key)
            except BlobMissing as missing:
                # Somebody else may have finished this move and begun the next one.
                if (await self._stored(asset.id)).next_key == asset.next_key:
                    log.error("the bytes of an asset are lost", extra={"asset_id": asset.id})
                    raise PictureLost(asset.id) from missing
            else:
                await self._store.finish_move(asset)
            asset = await self._stored(asset.id)
        return asset

    async def _stored(self, asset_id: str) -> Asset:
        asset = await self._store.get(asset_id)
        if asset is None or asset.state is not State.STORED:
            raise AssetNotFound(asset_id)
        return asset
