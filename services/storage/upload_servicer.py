"""UploadService on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody

from chassis.auth import Access, current_user, grpc_methods
from chassis.times import to_timestamp
from services.storage.callers import DEFAULT_LIMIT, NO_CONTENT, viewer
from services.storage.places import Places
from services.storage.upload_domain import LinkedUpload
from services.storage.uploads import read_image, waiting_room
from services.storage.usecases.uploading import Uploading
from streamerstudio.storage.v1 import upload_pb2 as messages
from streamerstudio.storage.v1 import upload_service_pb2 as calls
from streamerstudio.storage.v1.upload_service_pb2_grpc import UploadServiceServicer

SERVICE_NAME = calls.DESCRIPTOR.services_by_name["UploadService"].full_name
METHODS = grpc_methods(
    SERVICE_NAME,
    {
        "UploadImage": Access.USER,
        "ListUploads": Access.USER,
        "GetUpload": Access.USER,
        "DeleteUpload": Access.USER,
        "ReadUpload": Access.SERVICE,
    },
)
UPLOADS_AT_ONCE = 128
"""What bounds the disk that pictures on their way in take; further ones are not read before there is a place. They are
many, since slow ones may keep theirs for two minutes."""
IN_MEMORY_AT_ONCE = 16
"""What bounds the memory of those that are all here."""

Context = grpc.aio.ServicerContext[Any, Any]


class UploadServicer(UploadServiceServicer):
    """Uploads, for their owners; their bytes, for services."""

    def __init__(self, uploading: Uploading) -> None:
        self._uploading = uploading
        self._places = Places(UPLOADS_AT_ONCE)
        self._in_memory = asyncio.Semaphore(IN_MEMORY_AT_ONCE)

    async def UploadImage(self, request: AsyncIterator[HttpBody], context: Context) -> messages.Upload:
        user_id = current_user()
        async with self._places.taken_by(user_id):
            await self._uploading.require_room(user_id)
            with waiting_room() as file:
                await read_image(request, file)
                async with self._in_memory:
                    data = await asyncio.to_thread(file.read)
                    return _message(await self._uploading.add(user_id, data))

    async def ListUploads(self, request: calls.ListUploadsRequest, context: Context) -> messages.UploadList:
        limit = request.limit if request.HasField("limit") else DEFAULT_LIMIT
        page = await self._uploading.page(viewer(), limit, request.offset)
        return messages.UploadList(
            uploads=map(_message, page.uploads), total=page.total, limit=limit, offset=request.offset
        )

    async def GetUpload(self, request: calls.GetUploadRequest, context: Context) -> messages.Upload:
        return _message(await self._uploading.get(viewer(), request.upload_id.lower()))

    async def DeleteUpload(self, request: calls.DeleteUploadRequest, context: Context) -> calls.DeleteUploadResponse:
        await self._uploading.delete(viewer(), request.upload_id.lower())
        await context.send_initial_metadata(NO_CONTENT)
        return calls.DeleteUploadResponse()

    async def ReadUpload(self, request: calls.ReadUploadRequest, context: Context) -> AsyncIterator[HttpBody]:
        async with self._uploading.open(request.user_id, request.upload_id.lower()) as file:
            async for chunk in file.chunks:
                yield HttpBody(content_type=file.content_type, data=chunk)


def _message(linked: LinkedUpload) -> messages.Upload:
    upload = linked.upload
    return messages.Upload(
        id=upload.id,
        user_id=upload.user_id,
        content_type=upload.picture.content_type,
        width=upload.picture.width,
        height=upload.picture.height,
        file_size=upload.picture.file_size,
        url=linked.url,
        created_at=to_timestamp(upload.created_at),
    )
