"""The other services, over gRPC; their errors become ours here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import NoReturn

import grpc

from chassis import channels
from chassis.channels import call_metadata
from chassis.errors import NotOwner, Unavailable
from services.generation.domain import Asset, RenderFailed
from services.generation.failures import failure
from services.generation.refusals import BrandKitNotFound, NoActiveBrandKit
from services.generation.styles import StyleImage
from streamerstudio.prompt.v1 import brand_kit_service_pb2, brand_kit_service_pb2_grpc
from streamerstudio.storage.v1 import (
    asset_pb2,
    storage_service_pb2,
    storage_service_pb2_grpc,
    upload_service_pb2,
    upload_service_pb2_grpc,
)
from streamerstudio.type.v1 import asset_type_pb2

BRAND_KIT_TIMEOUT = 0.5
"""Seconds a streamer waits to hear at once that a kit is missing; after that the queue decides."""
ASSETS_TIMEOUT = 1.5
"""Seconds, three times over: the gateway repeats a GET that was answered 503."""
STYLE_TIMEOUT = 20.0
"""Seconds to read an upload, all of it; nobody waits for it but a worker."""
MOST_ASSETS = 100
GONE = ("UPLOAD_NOT_FOUND", "NOT_OWNER", "STORAGE_ERROR")
"""Why there is no style image, and never will be; the last: the upload is there, and its bytes are not."""
REPEATABLE = (
    (brand_kit_service_pb2.DESCRIPTOR.services_by_name["BrandKitService"], ("GetBrandKit", "GetActiveBrandKit")),
    (storage_service_pb2.DESCRIPTOR.services_by_name["StorageService"], ("ListAssets", "DeleteAsset")),
    (upload_service_pb2.DESCRIPTOR.services_by_name["UploadService"], ("ReadUpload",)),
)


def open_channel(target: str) -> grpc.aio.Channel:
    """A channel to the replicas of another service."""
    return channels.open_channel(target, {of.full_name: names for of, names in REPEATABLE})


class BrandKitClient:
    """The BrandKits port over the prompt service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = brand_kit_service_pb2_grpc.BrandKitServiceStub(channel)

    async def resolve(self, brand_kit_id: str | None, token: str) -> str:
        """The kit that was named, or the active one."""
        try:
            if brand_kit_id is None:
                request = brand_kit_service_pb2.GetActiveBrandKitRequest()
                kit = await self._stub.GetActiveBrandKit(
                    request, metadata=call_metadata(token), timeout=BRAND_KIT_TIMEOUT
                )
            else:
                named = brand_kit_service_pb2.GetBrandKitRequest(brand_kit_id=brand_kit_id)
                kit = await self._stub.GetBrandKit(named, metadata=call_metadata(token), timeout=BRAND_KIT_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            _raise(error, brand_kit_id or "")
        if not kit.id:
            raise NoActiveBrandKit
        return kit.id


class AssetClient:
    """The Assets port over the storage service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = storage_service_pb2_grpc.StorageServiceStub(channel)

    async def of_job(self, job_id: str, token: str) -> Sequence[Asset]:
        """What of a job can be read."""
        request = storage_service_pb2.ListAssetsRequest(job_id=job_id, limit=MOST_ASSETS)
        try:
            answer = await self._stub.ListAssets(request, metadata=call_metadata(token), timeout=ASSETS_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            _raise(error)
        return [_to_asset(asset) for asset in answer.assets]


class AssetRemover:
    """The AssetRemoval port over the storage service."""

    def __init__(self, channel: grpc.aio.Channel, service_token: str) -> None:
        self._stub = storage_service_pb2_grpc.StorageServiceStub(channel)
        self._token = service_token

    async def remove(self, asset_id: str) -> None:
        """Gone is gone, whoever deleted it."""
        request = storage_service_pb2.DeleteAssetRequest(asset_id=asset_id)
        try:
            await self._stub.DeleteAsset(request, metadata=call_metadata(self._token), timeout=ASSETS_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise Unavailable("the storage service did not delete an asset") from error


class StyleImageClient:
    """The StyleImages port over the storage service."""

    def __init__(self, channel: grpc.aio.Channel, service_token: str) -> None:
        self._stub = upload_service_pb2_grpc.UploadServiceStub(channel)
        self._token = service_token

    async def fetch(self, upload_id: str, user_id: str) -> StyleImage:
        """The bytes as they are stored."""
        request = upload_service_pb2.ReadUploadRequest(upload_id=upload_id, user_id=user_id)
        data, content_type = bytearray(), ""
        try:
            async for part in self._stub.ReadUpload(
                request, metadata=call_metadata(self._token), timeout=STYLE_TIMEOUT
            ):
                data += part.data
                content_type = part.content_type
        except grpc.aio.AioRpcError as error:
            if channels.reason(error) in GONE:
                raise RenderFailed(failure("UPLOAD_NOT_FOUND")) from error
            raise Unavailable("the storage service did not bring an upload") from error
        return StyleImage(bytes(data), content_type)


def _raise(error: grpc.aio.AioRpcError, brand_kit_id: str = "") -> NoReturn:
    """Translates what another service answered; what it cannot mean to our caller is Unavailable."""
    if error.code() is grpc.StatusCode.NOT_FOUND:
        raise BrandKitNotFound(brand_kit_id) from error
    if error.code() is grpc.StatusCode.PERMISSION_DENIED:
        raise NotOwner("this brand kit belongs to somebody else", metadata={"brand_kit_id": brand_kit_id}) from error
    raise channels.untold(error) from error


def _to_asset(asset: asset_pb2.Asset) -> Asset:
    return Asset(
        id=asset.id,
        job_id=asset.job_id,
        user_id=asset.user_id,
        asset_type=asset_type_pb2.AssetType.Name(asset.asset_type),
        url=asset.url,
        width=asset.width,
        height=asset.height,
        file_size=asset.file_size,
        is_public=asset.is_public,
        viral_score=asset.viral_score if asset.HasField("viral_score") else None,
        created_at=asset.created_at.ToDatetime(tzinfo=UTC),
    )
