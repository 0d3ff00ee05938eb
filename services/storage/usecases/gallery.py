"""Owners look at, link, share and delete what is theirs."""

from __future__ import annotations

from collections.abc import Sequence

from services.storage.domain import Asset, AssetNotFound, Filter, Link, LinkedAsset, Page, PictureLost, State
from services.storage.ports import AssetStore, Blobs
from services.storage.usecases.files import FRESH
from services.storage.usecases.moving import Moves
from services.storage.usecases.removing import Removal


class Gallery:
    """Assets, for their owners and for services.

    A viewer is a user's id, or None for a service, which may do everything. For one asset each method raises
    AssetNotFound when nobody can see it, NotOwner when the viewer may not, PictureLost when it was to be moved and
    its bytes are nowhere.
    """

    def __init__(self, store: AssetStore, blobs: Blobs, moves: Moves, removal: Removal, link_ttl: int) -> None:
        self._store = store
        self._blobs = blobs
        self._moves = moves
        self._removal = removal
        self._link_ttl = link_ttl

    async def get_asset(self, viewer: str | None, asset_id: str) -> LinkedAsset:
        return await self.link(await self._moves.settle(await self._own(viewer, asset_id, State.STORED)))

    async def get_record(self, asset_id: str) -> Asset:
        """All that its row says, for services."""
        return await self._own(None, asset_id, State.STORED)

    async def list_assets(self, wanted: Filter) -> Page:
        assets, total = await self._store.matching(wanted)
        at_rest = [await self._at_rest(asset) for asset in assets]
        return Page(await self._link([asset for asset in at_rest if asset is not None]), total)

    async def sign_link(self, viewer: str | None, asset_id: str, expires_in: int | None) -> Link:
        """A link that works for so many seconds, or for good when the asset is public."""
        asset = await self._moves.settle(await self._own(viewer, asset_id, State.STORED))
        lasts = expires_in or self._link_ttl
        (link,) = await self._blobs.links([asset.key], lasts, at_least=lasts)
        return link

    async def set_visibility(self, viewer: str | None, asset_id: str, *, is_public: bool) -> LinkedAsset:
        """Changes who may see an asset; then, every link given out before is dead."""
        asset = await self._own(viewer, asset_id, State.STORED)
        return await self.link(await self._moves.change_side(asset, is_public=is_public))

    async def delete_asset(self, viewer: str | None, asset_id: str) -> None:
        """Returns when row and bytes are gone; finishes an earlier call that did not get so far."""
        asset = await self._own(viewer, asset_id, State.STORED, State.DELETING)
        if asset.state is State.STORED:
            # The row as it is after the change: a move may have begun since we read it, or another removal.
            asset = await self._store.begin_removal(asset_id) or await self._own(viewer, asset_id, State.DELETING)
        await self._removal.finish(asset)

    async def link(self, asset: Asset) -> LinkedAsset:
        """An asset at rest, with a link that works now."""
        (linked,) = await self._link([asset])
        return linked

    async def _link(self, assets: Sequence[Asset]) -> Sequence[LinkedAsset]:
        lasts = self._link_ttl
        links = await self._blobs.links([asset.key for asset in assets], lasts, at_least=lasts // FRESH)
        return [LinkedAsset(asset, link.url) for asset, link in zip(assets, links, strict=True)]

    async def _at_rest(self, asset: Asset) -> Asset | None:
        """None when it was deleted while it moved; one that is lost is no reason not to show the others."""
        try:
            return await self._moves.settle(asset)
        except AssetNotFound:
            return None
        except PictureLost:
            return asset

    async def _own(self, viewer: str | None, asset_id: str, *states: State) -> Asset:
        asset = await self._store.get(asset_id)
        if asset is None or asset.state not in states:
            raise AssetNotFound(asset_id)
        asset.require_owner(viewer)
        return asset
