"""The other services, over gRPC; their errors become ours here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC
from typing import NoReturn

import grpc
from google.rpc import error_details_pb2, status_pb2

from chassis.errors import NotOwner, TokenExpired, Unauthenticated, Unavailable
from services.generation.domain import Asset
from services.generation.refusals import BrandKitNotFound, NoActiveBrandKit
from streamerstudio.prompt.v1 import brand_kit_service_pb2, brand_kit_service_pb2_grpc
from streamerstudio.storage.v1 import asset_pb2, storage_service_pb2, storage_service_pb2_grpc
from streamerstudio.type.v1 import asset_type_pb2

BRAND_KIT_TIMEOUT = 0.5
"""Seconds a streamer waits to hear at once that a kit is missing; after that the queue decides."""
ASSETS_TIMEOUT = 1.5
"""Seconds, three times over: the gateway repeats a GET that was answered 503."""
MOST_ASSETS = 100


REPEATABLE = (
    (brand_kit_service_pb2.DESCRIPTOR.services_by_name["BrandKitService"], ("GetBrandKit", "GetActiveBrandKit")),
    (storage_service_pb2.DESCRIPTOR.services_by_name["StorageService"], ("ListAssets", "DeleteAsset")),
)
"""Calls that may be made twice: when one replica does not serve, the next one is asked within the same time limit."""
SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    # One that says it stops, or that its database is away, is left before it refuses.
    "healthCheckConfig": {"serviceName": ""},
    "methodConfig": [
        {
            "name": [{"service": of.full_name, "method": name} for of, names in REPEATABLE for name in names],
            "retryPolicy": {
                "maxAttempts": 3,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.2s",
                "backoffMultiplier": 3,
                # The last two are gRPC's own words for a call that met a service which stops.
                "retryableStatusCodes": ["UNAVAILABLE", "UNKNOWN", "CANCELLED"],
            },
        }
    ],
}
CHANNEL_OPTIONS = (
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    # One that was away is found again soon.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # One that hangs takes connections and says nothing.
    ("grpc.keepalive_time_ms", 2000),
    ("grpc.keepalive_timeout_ms", 2000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)


def open_channel(target: str) -> grpc.aio.Channel:
    """A channel to the replicas of another service on a private network."""
    return grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS)


class BrandKitClient:
    """The BrandKits port over the prompt service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = brand_kit_service_pb2_grpc.BrandKitServiceStub(channel)

    async def resolve(self, brand_kit_id: str | None, token: str) -> str:
        """The kit that was named, or the active one."""
        try:
            if brand_kit_id is None:
                request = brand_kit_service_pb2.GetActiveBrandKitRequest()
                kit = await self._stub.GetActiveBrandKit(request, metadata=_bearer(token), timeout=BRAND_KIT_TIMEOUT)
            else:
                named = brand_kit_service_pb2.GetBrandKitRequest(brand_kit_id=brand_kit_id)
                kit = await self._stub.GetBrandKit(named, metadata=_bearer(token), timeout=BRAND_KIT_TIMEOUT)
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
            answer = await self._stub.ListAssets(request, metadata=_bearer(token), timeout=ASSETS_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            _raise(error)
        return [_to_asset(asset) for asset in answer.assets]


class AssetRemover:
    """The AssetRemoval port over the storage service."""

    def __init__(self, channel: grpc.aio.Channel, service_token: str) -> None:
        self._stub = storage_service_pb2_grpc.StorageServiceStub(channel)
        self._metadata = _bearer(service_token)

    async def remove(self, asset_id: str) -> None:
        """Gone is gone, whoever deleted it."""
        request = storage_service_pb2.DeleteAssetRequest(asset_id=asset_id)
        try:
            await self._stub.DeleteAsset(request, metadata=self._metadata, timeout=ASSETS_TIMEOUT)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise Unavailable("the storage service did not delete an asset") from error


def _bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def _raise(error: grpc.aio.AioRpcError, brand_kit_id: str = "") -> NoReturn:
    """Translates what another service answered; what it cannot mean to our caller is Unavailable."""
    if error.code() is grpc.StatusCode.NOT_FOUND:
        raise BrandKitNotFound(brand_kit_id) from error
    if error.code() is grpc.StatusCode.PERMISSION_DENIED:
        raise NotOwner("this brand kit belongs to somebody else", metadata={"brand_kit_id": brand_kit_id}) from error
    if error.code() is grpc.StatusCode.UNAUTHENTICATED:
        expired = _reason(error) == TokenExpired.reason
        raise (TokenExpired if expired else Unauthenticated)(error.details() or "sign in again") from error
    raise Unavailable("a part of the system is not available; try again in a moment") from error


def _reason(error: grpc.aio.AioRpcError) -> str:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return str(info.reason)
    return ""


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
