"""Users bring pictures, look at them and take them away again; services read them on their users' behalf."""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from chassis.errors import Invalid, ServiceError, Unavailable
from chassis.patience import describe
from services.storage.domain import BlobMissing, NotAPicture, State, new_upload_key
from services.storage.ports import Blobs, Clock
from services.storage.upload_domain import Converted, LinkedUpload, Upload, UploadLost, UploadNotFound, UploadPage
from services.storage.upload_ports import Converter, UploadStore
from services.storage.usecases.files import FRESH, File

PENDING_FOR = timedelta(minutes=10)
"""How long an upload may be in writing: longer than any place for bytes is tried, so that nobody can finish it."""

log = logging.getLogger(__name__)


class Uploading:
    """Uploads, for their owners and for services.

    A viewer is a user's id, or None for a service, which may do everything. For one upload each method raises
    UploadNotFound when there is none, NotOwner when it is not the viewer's.
    """

    def __init__(self, store: UploadStore, blobs: Blobs, converter: Converter, clock: Clock, link_ttl: int) -> None:
        self._store = store
        self._blobs = blobs
        self._converter = converter
        self._clock = clock
        self._link_ttl = link_ttl

    async def require_room(self, user_id: str) -> None:
        """Raises UploadLimitReached before anything is read that could not be kept."""
        await self._store.require_room(user_id)

    async def add(self, user_id: str, data: bytes) -> LinkedUpload:
        """Keeps a picture: its row first, then its bytes.

        Raises:
            Invalid: the bytes are no picture; nothing was written.
            UploadLimitReached: the user has as many as a user may have.
        """
        try:
            converted = await self._converter.convert(data)
        except NotAPicture as error:
            raise Invalid.field("data", str(error)) from error
        now = self._clock()
        upload = Upload(str(uuid.uuid4()), user_id, converted.picture, State.WRITING, new_upload_key(), now)
        await self._store.add(upload)
        try:
            await self._write(upload, converted)
            (linked,) = await self._link([upload])
        except Unavailable:
            await self._withdraw(upload)
            raise
        return linked

    async def get(self, viewer: str | None, upload_id: str) -> LinkedUpload:
        (linked,) = await self._link([await self._own(viewer, upload_id, State.STORED)])
        return linked

    async def page(self, viewer: str | None, limit: int, offset: int) -> UploadPage:
        """Newest first."""
        uploads, total = await self._store.of_user(viewer, limit, offset)
        return UploadPage(await self._link(uploads), total)

    async def delete(self, viewer: str | None, upload_id: str) -> None:
        """Returns when row and bytes are gone; finishes an earlier call that did not get so far."""
        upload = await self._own(viewer, upload_id, State.STORED, State.DELETING)
        await self._store.begin_removal(upload_id)
        await self._remove(upload)

    @asynccontextmanager
    async def open(self, user_id: str, upload_id: str) -> AsyncIterator[File]:
        """The bytes of a user's upload.

        Raises:
            UploadLost: they are not there.
        """
        upload = await self._own(user_id, upload_id, State.STORED)
        async with AsyncExitStack() as stack:
            try:
                chunks = await stack.enter_async_context(self._blobs.read(upload.key))
            except BlobMissing as missing:
                raise await self._why_missing(upload) from missing
            yield File(upload.picture.content_type, "no-store", chunks)

    async def recover(self) -> None:
        """Finishes what processes that are no more have begun; one that cannot be finished does not stop the others."""
        for upload in await self._store.unfinished(self._clock() - PENDING_FOR):
            try:
                await self._store.begin_removal(upload.id)
                await self._remove(upload)
            except Unavailable as error:
                log.warning("not recovered yet", extra={"upload_id": upload.id, "why": describe(error)})

    async def _write(self, upload: Upload, converted: Converted) -> None:
        await self._blobs.write(upload.key, converted.data, converted.picture.content_type)
        if not await self._store.mark_stored(upload.id):
            # It took so long that it was cleared away meanwhile.
            await self._blobs.delete(upload.key)
            raise Unavailable("the picture could not be kept in time; try again in a moment")

    async def _withdraw(self, upload: Upload) -> None:
        """The caller hears that nothing was accepted; what cannot be cleared away now, is by the recovery."""
        try:
            await self._store.begin_removal(upload.id)
            await self._remove(upload)
        except Unavailable as error:
            log.warning("an upload is cleared away later", extra={"upload_id": upload.id, "why": describe(error)})

    async def _remove(self, upload: Upload) -> None:
        await self._blobs.delete(upload.key)
        await self._store.finish_removal(upload.id)

    async def _why_missing(self, upload: Upload) -> ServiceError:
        now = await self._store.get(upload.id)
        if now is None or now.state is not State.STORED:
            return UploadNotFound(upload.id)
        log.error("the bytes of an upload are lost", extra={"upload_id": upload.id})
        return UploadLost(upload.id)

    async def _link(self, uploads: Sequence[Upload]) -> Sequence[LinkedUpload]:
        lasts = self._link_ttl
        links = await self._blobs.links([upload.key for upload in uploads], lasts, at_least=lasts // FRESH)
        return [LinkedUpload(upload, link.url) for upload, link in zip(uploads, links, strict=True)]

    async def _own(self, viewer: str | None, upload_id: str, *states: State) -> Upload:
        upload = await self._store.get(upload_id)
        if upload is None or upload.state not in states:
            raise UploadNotFound(upload_id)
        upload.require_owner(viewer)
        return upload
