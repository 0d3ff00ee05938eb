"""What is noted of an asset and shown to no user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from streamerstudio.storage.v1 import storage_service_pb2 as calls
from tests.nats import NatsServer
from tests.prompt_service import refusal
from tests.storage_service import AS_SERVICE, NOBODYS, StorageService, as_user, running_storage_service, settings
from tests.store_stage import ADA, Stages, a_task, running_stages


@pytest.fixture
async def service(tmp_path: Path, nats: NatsServer) -> AsyncIterator[StorageService]:
    async with running_storage_service(settings(tmp_path, nats.url)) as service:
        yield service


@pytest.fixture
async def stages(tmp_path: Path, nats: NatsServer) -> AsyncIterator[Stages]:
    async with running_stages(nats.url, tmp_path) as stages:
        yield stages


@pytest.mark.parametrize("far", [12.3, 0.0, None])
async def test_how_near_a_picture_is_to_the_brand_is_noted_with_its_asset(
    service: StorageService, stages: Stages, far: float | None
) -> None:
    task = await a_task(stages, palette_distance=far)
    await stages.send(task)
    asset_id = (await stages.next_outcome()).stored.asset_id
    task.work.dispatch = 2
    task.palette_distance = 99.9
    await stages.send(task)
    await stages.next_outcome()

    record = await service.stub.GetAssetRecord(calls.GetAssetRecordRequest(asset_id=asset_id), metadata=AS_SERVICE)

    assert (record.asset_id, record.job_id, record.item, record.sha256) == (
        asset_id, task.work.job_id, 2, task.sha256,
    )  # fmt: skip
    assert (record.palette_distance if record.HasField("palette_distance") else None) == far


async def test_what_is_noted_of_an_asset_is_for_services_only(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)
    request = calls.GetAssetRecordRequest(asset_id=asset.id)

    refused = await refusal(service.stub.GetAssetRecord(request, metadata=as_user(ADA)))
    missing = await refusal(
        service.stub.GetAssetRecord(calls.GetAssetRecordRequest(asset_id=NOBODYS), metadata=AS_SERVICE)
    )
    invalid = await refusal(service.stub.GetAssetRecord(calls.GetAssetRecordRequest(), metadata=AS_SERVICE))
    record = await service.stub.GetAssetRecord(request, metadata=AS_SERVICE)

    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_ONLY")
    assert (missing.code, missing.reason) == (grpc.StatusCode.NOT_FOUND, "ASSET_NOT_FOUND")
    assert (invalid.code, invalid.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["asset_id"])
    assert (record.job_id, record.item, record.HasField("palette_distance")) == (asset.job_id, 0, False)
