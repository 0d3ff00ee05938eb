"""Values of the domain as messages, and back."""

from __future__ import annotations

from chassis.times import to_timestamp
from services.storage.domain import Asset as StoredAsset
from services.storage.domain import Item, Link, LinkedAsset, Problem, Progress
from streamerstudio.storage.v1.asset_pb2 import Asset, AssetRecord, SignedUrl, StorageProblem, StorageProgress
from streamerstudio.storage.v1.storage_service_pb2 import CheckStorageResponse, UploadInfo
from streamerstudio.type.v1.asset_type_pb2 import AssetType


def to_item(info: UploadInfo) -> Item:
    return Item(info.job_id.lower(), info.item, info.user_id, AssetType.Name(info.asset_type))


def to_link(link: Link) -> SignedUrl:
    return SignedUrl(url=link.url, expires_at=to_timestamp(link.expires_at) if link.expires_at else None)


def to_message(linked: LinkedAsset) -> Asset:
    asset = linked.asset
    return Asset(
        id=asset.id,
        job_id=asset.item.job_id,
        user_id=asset.item.user_id,
        asset_type=AssetType.Value(asset.item.asset_type),
        url=linked.url,
        width=asset.picture.width,
        height=asset.picture.height,
        file_size=asset.picture.file_size,
        is_public=asset.is_public,
        viral_score=asset.viral_score,
        created_at=to_timestamp(asset.created_at),
    )


def to_record(asset: StoredAsset) -> AssetRecord:
    return AssetRecord(
        asset_id=asset.id,
        job_id=asset.item.job_id,
        item=asset.item.item,
        sha256=asset.picture.sha256,
        palette_distance=asset.picture.palette_distance,
    )


def to_news(news: Problem | Progress) -> CheckStorageResponse:
    if isinstance(news, Progress):
        return CheckStorageResponse(
            progress=StorageProgress(blobs=news.blobs, assets=news.assets, uploads=news.uploads)
        )
    problem = StorageProblem(
        kind=StorageProblem.Kind.Value(news.kind),
        key=news.key,
        asset_id=news.asset_id,
        upload_id=news.upload_id,
        size=news.size,
        repaired=news.is_repaired,
    )
    return CheckStorageResponse(problem=problem)
