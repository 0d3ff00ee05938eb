"""Bytes go out, to whom a link lets see them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from chassis.errors import ServiceError
from services.storage.domain import UPLOADS, Asset, AssetNotFound, BlobMissing, LinkRefused, PictureLost, State
from services.storage.links import Signer
from services.storage.ports import AssetStore, Blobs, Clock
from services.storage.upload_domain import Upload, UploadLost
from services.storage.upload_ports import UploadStore

PUBLIC_AGE = 60
"""Seconds a cache may show a public file that is private by now."""
FRESH = 4
"""A link that is shown with what it leads to has at least one in so many parts of its life before it."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class File:
    """Bytes on their way out."""

    content_type: str
    cache_control: str
    chunks: AsyncIterator[bytes]


class Files:
    """Opens pictures for everybody who has the right link."""

    def __init__(self, store: AssetStore, uploads: UploadStore, blobs: Blobs, signer: Signer, clock: Clock) -> None:
        self._store = store
        self._uploads = uploads
        self._blobs = blobs
        self._signer = signer
        self._clock = clock

    @asynccontextmanager
    async def open_link(self, path: str, token: str) -> AsyncIterator[File]:
        """The bytes under a path.

        Raises:
            LinkRefused: for whatever reason; it is the same for a path that never was.
            PictureLost, UploadLost: the link is right, and the bytes are not there.
        """
        row = await self._of_key(path)
        if row is None:
            raise LinkRefused
        async with AsyncExitStack() as stack:
            cache_control = self._admit(row, token)
            try:
                chunks = await stack.enter_async_context(self._blobs.read(row.key))
            except BlobMissing as missing:
                raise await self._why_missing(row, LinkRefused()) from missing
            yield File(row.picture.content_type, cache_control, chunks)

    @asynccontextmanager
    async def open_shared(self, asset_id: str) -> AsyncIterator[File]:
        """The bytes of an asset that is public now, whatever was said before.

        Raises:
            AssetNotFound: there is none, or it is private.
            PictureLost: its bytes are not there.
        """
        asset = await self._store.get(asset_id)
        if asset is None or asset.state is not State.STORED or not asset.is_public:
            raise AssetNotFound(asset_id)
        async with AsyncExitStack() as stack:
            try:
                chunks = await stack.enter_async_context(self._blobs.read(asset.key))
            except BlobMissing as missing:
                raise await self._why_missing(asset, AssetNotFound(asset_id)) from missing
            yield File(asset.picture.content_type, "no-cache", chunks)

    async def _of_key(self, key: str) -> Asset | Upload | None:
        if key.startswith(f"{UPLOADS}/"):
            return await self._uploads.of_key(key)
        return await self._store.of_key(key)

    def _admit(self, row: Asset | Upload, token: str) -> str:
        if row.is_public:
            return f"public, max-age={PUBLIC_AGE}"
        left = self._signer.seconds_left(row.key, token, self._clock().timestamp())
        return f"private, max-age={left}"

    async def _why_missing(self, row: Asset | Upload, gone: ServiceError) -> ServiceError:
        """`gone` when it moved or was deleted since its row was read; else its bytes are lost."""
        now = await self._of_key(row.key)
        if now is None or now.next_key is not None:
            return gone
        if isinstance(row, Upload):
            log.error("the bytes of an upload are lost", extra={"upload_id": row.id})
            return UploadLost(row.id)
        log.error("the bytes of an asset are lost", extra={"asset_id": row.id})
        return PictureLost(row.id)
