"""CheckStorage on the wire: for services only, and told as it goes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.storage.domain import new_key
from streamerstudio.storage.v1.asset_pb2 import Asset, StorageProblem
from streamerstudio.storage.v1.storage_service_pb2 import CheckStorageRequest
from tests.prompt_service import refusal
from tests.storage_service import AS_SERVICE, PICTURE, StorageService, as_user, running_storage_service, settings

TWO_DAYS_AGO = (1_000_000_000.0,) * 2


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[StorageService]:
    async with running_storage_service(settings(tmp_path)) as service:
        yield service


def key_of(asset: Asset) -> str:
    return asset.url.partition("/files/")[2].partition("?")[0]


async def check(service: StorageService, **how: bool) -> tuple[list[StorageProblem], tuple[int, int]]:
    call = service.stub.CheckStorage(CheckStorageRequest(**how), metadata=AS_SERVICE)
    news = [each async for each in call]
    problems = [each.problem for each in news if each.HasField("problem")]
    last = news[-1].progress
    return sorted(problems, key=lambda problem: problem.kind), (last.blobs, last.assets)


async def test_a_store_in_order_is_told_by_its_sum(service: StorageService) -> None:
    await service.an_asset_of("ada")
    await service.make_public(await service.an_asset_of("eve"))

    assert await check(service) == ([], (2, 2))


async def test_every_kind_of_problem_is_told_with_what_it_takes_to_find_it(
    service: StorageService, tmp_path: Path
) -> None:
    lost, short, swapped = [await service.an_asset_of("ada") for _ in range(3)]
    keys = {asset.id: key_of(asset) for asset in (lost, short, swapped)}
    paths = {asset_id: tmp_path / "blobs" / key for asset_id, key in keys.items()}
    paths[lost.id].unlink()
    paths[short.id].write_bytes(b"short")
    paths[swapped.id].write_bytes(PICTURE[:-1] + b"?")
    orphan = new_key(is_public=True)
    (tmp_path / "blobs" / orphan).write_bytes(b"nobody's")
    os.utime(tmp_path / "blobs" / orphan, TWO_DAYS_AGO)

    found, seen = await check(service, repair=True)

    assert found == [
        StorageProblem(kind=StorageProblem.orphan, key=orphan, size=8, repaired=True),
        StorageProblem(kind=StorageProblem.lost, key=keys[lost.id], asset_id=lost.id),
        StorageProblem(kind=StorageProblem.wrong_size, key=keys[short.id], asset_id=short.id, size=5),
        StorageProblem(kind=StorageProblem.wrong_hash, key=keys[swapped.id], asset_id=swapped.id, size=len(PICTURE)),
    ]
    assert seen == (3, 3)
    quick, _ = await check(service, quick=True)
    assert [problem.kind for problem in quick] == [StorageProblem.lost, StorageProblem.wrong_size]


async def test_a_user_is_told_nothing(service: StorageService) -> None:
    refused = await refusal(_first(service.stub.CheckStorage(CheckStorageRequest(), metadata=as_user("ada"))))

    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_ONLY")


async def _first(call: Any) -> object:
    return await anext(aiter(call))


async def test_an_asset_whose_bytes_are_lost_says_so_when_it_is_opened(service: StorageService, tmp_path: Path) -> None:
    asset = await service.an_asset_of("ada")
    (tmp_path / "blobs" / key_of(asset)).unlink()

    refused = await refusal(service.file(asset.url))

    assert (refused.code, refused.reason) == (grpc.StatusCode.INTERNAL, "STORAGE_ERROR")
    assert refused.metadata == {"asset_id": asset.id}
    assert "blobs" not in refused.message and "private" not in refused.message
