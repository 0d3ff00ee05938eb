"""StorageService on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody

from chassis.auth import Access, grpc_methods
from services.storage.callers import DEFAULT_LIMIT, NO_CONTENT, viewer
from services.storage.domain import Filter
from services.storage.messages import to_item, to_link, to_message, to_news, to_record
from services.storage.uploads import read_upload
from services.storage.usecases.checking import Checking
from services.storage.usecases.files import File, Files
from services.storage.usecases.gallery import Gallery
from services.storage.usecases.keeping import Uploads
from streamerstudio.storage.v1 import asset_pb2 as messages
from streamerstudio.storage.v1 import storage_service_pb2 as calls
from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceServicer

SERVICE_NAME = calls.DESCRIPTOR.services_by_name["StorageService"].full_name
METHODS = grpc_methods(
    SERVICE_NAME,
    {
        "UploadAsset": Access.SERVICE,
        "GetAsset": Access.USER,
        "ListAssets": Access.USER,
        "DeleteAsset": Access.USER,
        "GetSignedUrl": Access.USER,
        "SetVisibility": Access.USER,
        "GetFile": Access.PUBLIC,
        "GetSharedAsset": Access.PUBLIC,
        "GetAssetRecord": Access.SERVICE,
        "CheckStorage": Access.SERVICE,
    },
)
UPLOADS_AT_ONCE = 8
"""What bounds the memory of pictures on their way in; further ones are not read before there is a place."""
# A picture is never anything else, even to a browser that would rather see a page in it.
HARMLESS = (("x-content-type-options", "nosniff"), ("content-security-policy", "default-src 'none'"))

Context = grpc.aio.ServicerContext[Any, Any]


class StorageServicer(StorageServiceServicer):
    """Assets, for their owners and for services; files, for whoever has the link."""

    def __init__(self, uploads: Uploads, gallery: Gallery, files: Files, checking: Checking) -> None:
        self._uploads = uploads
        self._gallery = gallery
        self._files = files
        self._checking = checking
        self._places = asyncio.Semaphore(UPLOADS_AT_ONCE)

    async def UploadAsset(
        self, request: AsyncIterator[calls.UploadAssetRequest], context: Context
    ) -> messages.UploadResult:
        async with self._places:
            info, data = await read_upload(request)
            asset = await self._uploads.upload_asset(to_item(info), data)
        linked = await self._gallery.link(asset)
        return messages.UploadResult(
            url=linked.url, path=asset.key, file_size=asset.picture.file_size, asset=to_message(linked)
        )

    async def GetAsset(self, request: calls.GetAssetRequest, context: Context) -> messages.Asset:
        return to_message(await self._gallery.get_asset(viewer(), request.asset_id.lower()))

    async def ListAssets(self, request: calls.ListAssetsRequest, context: Context) -> messages.AssetList:
        wanted = _filter(request)
        page = await self._gallery.list_assets(wanted)
        return messages.AssetList(
            assets=map(to_message, page.assets), total=page.total, limit=wanted.limit, offset=wanted.offset
        )

    async def DeleteAsset(self, request: calls.DeleteAssetRequest, context: Context) -> calls.DeleteAssetResponse:
        await self._gallery.delete_asset(viewer(), request.asset_id.lower())
        await context.send_initial_metadata(NO_CONTENT)
        return calls.DeleteAssetResponse()

    async def GetSignedUrl(self, request: calls.GetSignedUrlRequest, context: Context) -> messages.SignedUrl:
        expires_in = request.expires_in if request.HasField("expires_in") else None
        return to_link(await self._gallery.sign_link(viewer(), request.asset_id.lower(), expires_in))

    async def SetVisibility(self, request: calls.SetVisibilityRequest, context: Context) -> messages.Asset:
        linked = await self._gallery.set_visibility(viewer(), request.asset_id.lower(), is_public=request.is_public)
        return to_message(linked)

    async def GetFile(self, request: calls.GetFileRequest, context: Context) -> AsyncIterator[HttpBody]:
        async with self._files.open_link(request.path, request.token) as file:
            async for part in _parts(file, context):
                yield part

    async def GetSharedAsset(self, request: calls.GetSharedAssetRequest, context: Context) -> AsyncIterator[HttpBody]:
        async with self._files.open_shared(request.asset_id.lower()) as file:
            async for part in _parts(file, context):
                yield part

    async def GetAssetRecord(self, request: calls.GetAssetRecordRequest, context: Context) -> messages.AssetRecord:
        return to_record(await self._gallery.get_record(request.asset_id.lower()))

    async def CheckStorage(
        self, request: calls.CheckStorageRequest, context: Context
    ) -> AsyncIterator[calls.CheckStorageResponse]:
        async for news in self._checking.check(repair=request.repair, reads=not request.quick):
            yield to_news(news)


async def _parts(file: File, context: Context) -> AsyncIterator[HttpBody]:
    await context.send_initial_metadata((("cache-control", file.cache_control), *HARMLESS))
    content_type = file.content_type
    async for chunk in file.chunks:
        yield HttpBody(content_type=content_type, data=chunk)
        content_type = ""


def _filter(request: calls.ListAssetsRequest) -> Filter:
    return Filter(
        user_id=viewer(),
        asset_type=request.asset_type if request.HasField("asset_type") else None,
        job_id=request.job_id.lower() if request.HasField("job_id") else None,
        limit=request.limit if request.HasField("limit") else DEFAULT_LIMIT,
        offset=request.offset,
    )
