"""StorageService on the wire: owners and their assets, and how calls are refused."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from typing import Any

import grpc
import pytest

from services.storage.servicer import METHODS, SERVICE_NAME
from streamerstudio.storage.v1 import storage_service_pb2 as calls
from streamerstudio.type.v1.asset_type_pb2 import banner, overlay, thumbnail
from tests.builders import bearer, user_token
from tests.pictures import a_picture
from tests.prompt_service import refusal
from tests.storage_service import (
    AS_SERVICE,
    NOBODYS,
    PICTURE,
    PUBLIC_URL,
    StorageService,
    an_info,
    as_user,
    parts,
    running_storage_service,
    settings,
)

ADA, EVE = "ada", "eve"
INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
NOT_FOUND = (grpc.StatusCode.NOT_FOUND, "ASSET_NOT_FOUND")
NOT_OWNER = (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[StorageService]:
    async with running_storage_service(settings(tmp_path)) as service:
        yield service


CALLS = ("get", "sign", "show", "delete")
"""The calls about one asset, for its owner."""


def on_one(service: StorageService, call: str, asset_id: str, metadata: Any) -> Awaitable[object]:
    """Makes one of the calls."""
    stub = service.stub
    match call:
        case "get":
            return stub.GetAsset(calls.GetAssetRequest(asset_id=asset_id), metadata=metadata)
        case "sign":
            return stub.GetSignedUrl(calls.GetSignedUrlRequest(asset_id=asset_id), metadata=metadata)
        case "show":
            request = calls.SetVisibilityRequest(asset_id=asset_id, is_public=True)
            return stub.SetVisibility(request, metadata=metadata)
        case _:
            return stub.DeleteAsset(calls.DeleteAssetRequest(asset_id=asset_id), metadata=metadata)


def test_every_method_has_a_policy_and_every_policy_a_method() -> None:
    methods = calls.DESCRIPTOR.services_by_name["StorageService"].methods

    assert {f"/{SERVICE_NAME}/{method.name}" for method in methods} == set(METHODS)


async def test_an_upload_is_an_asset_measured_on_its_bytes(service: StorageService) -> None:
    info = an_info(asset_type=overlay, job_id=str(uuid.uuid4()).upper(), content_type="image/webp")

    result = await service.stub.UploadAsset(parts(info, PICTURE), metadata=AS_SERVICE)

    asset = result.asset
    assert (asset.width, asset.height, asset.file_size) == (1280, 720, len(PICTURE))
    assert (asset.user_id, asset.job_id, asset.asset_type) == (ADA, info.job_id.lower(), overlay)
    assert not asset.is_public
    assert not asset.HasField("viral_score")
    assert asset.created_at.nanos == 0
    assert abs(asset.created_at.ToDatetime(tzinfo=UTC) - datetime.now(UTC)).total_seconds() < 60
    assert (result.url, result.file_size) == (asset.url, asset.file_size)
    assert asset.url.startswith(f"{PUBLIC_URL}/files/{result.path}?token=")
    download = await service.file(asset.url)
    assert (download.data, download.content_type) == (PICTURE, "image/png")


async def test_an_upload_that_is_repeated_answers_with_the_first_asset(service: StorageService) -> None:
    first = await service.an_asset_of(ADA)

    again = await service.an_asset_of(ADA, a_picture(seed=9), job_id=first.job_id)
    other = await service.an_asset_of(ADA, job_id=first.job_id, item=1)

    assert (again.id, again.file_size) == (first.id, first.file_size)
    assert other.id != first.id


@pytest.mark.parametrize(
    ("upload", "field"),
    [
        ([], "info"),
        ([calls.UploadAssetRequest(chunk=PICTURE[:1000])], "info"),
        ([calls.UploadAssetRequest(info=an_info()), calls.UploadAssetRequest(info=an_info())], "info"),
        ([calls.UploadAssetRequest()], "part"),
        ([calls.UploadAssetRequest(info=an_info())], "chunk"),
        ([*parts(an_info(), b"<script>alert(1)</script>")], "chunk"),
        ([*parts(an_info(), PICTURE[:-1])], "chunk"),
        ([*parts(an_info(), a_picture(kind="GIF", mode="P"))], "chunk"),
        ([*parts(an_info(), bytes(26 * 1024 * 1024), size=1024 * 1024)], "chunk"),
        ([calls.UploadAssetRequest(info=an_info(job_id="x"))], "info.job_id"),
        ([calls.UploadAssetRequest(info=an_info(item=4))], "info.item"),
        ([calls.UploadAssetRequest(info=an_info(user_id=""))], "info.user_id"),
        ([calls.UploadAssetRequest(info=an_info(content_type="image/gif"))], "info.content_type"),
    ],
    ids=[
        "nothing", "no info", "info twice", "an empty part", "no bytes", "no picture", "half a picture", "a gif",
        "too much", "no uuid", "no such item", "no user", "no such type",
    ],
)  # fmt: skip
# Nothing is sent after what is refused: grpc's client may then report its own failure to send instead.
async def test_an_upload_that_is_not_as_it_should_be_is_invalid(
    service: StorageService, upload: list[calls.UploadAssetRequest], field: str
) -> None:
    refused = await refusal(service.stub.UploadAsset(iter(upload), metadata=AS_SERVICE))

    assert (refused.code, refused.reason, refused.fields) == (*INVALID, [field])
    listed = await service.stub.ListAssets(calls.ListAssetsRequest(), metadata=AS_SERVICE)
    assert listed.total == 0


async def test_an_upload_for_an_asset_that_was_deleted_does_not_bring_it_back(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)
    await service.stub.DeleteAsset(calls.DeleteAssetRequest(asset_id=asset.id), metadata=as_user(ADA))

    upload = parts(an_info(job_id=asset.job_id), PICTURE)
    refused = await refusal(service.stub.UploadAsset(upload, metadata=AS_SERVICE))

    assert (refused.code, refused.reason) == NOT_FOUND


async def test_only_services_upload(service: StorageService) -> None:
    refused = await refusal(service.stub.UploadAsset(parts(an_info(), b""), metadata=as_user(ADA)))

    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_ONLY")


async def test_an_id_is_accepted_in_any_case(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)

    for call in CALLS:
        await on_one(service, call, asset.id.upper(), as_user(ADA))


@pytest.mark.parametrize("call", CALLS)
async def test_an_asset_is_its_owners_and_open_to_services(service: StorageService, call: str) -> None:
    asset = await service.an_asset_of(ADA)

    refused = await refusal(on_one(service, call, asset.id, as_user(EVE)))

    assert (refused.code, refused.reason) == NOT_OWNER
    assert refused.metadata == {"asset_id": asset.id}
    await on_one(service, call, asset.id, AS_SERVICE)


@pytest.mark.parametrize("call", CALLS)
async def test_an_asset_that_is_not_there_is_not_found(service: StorageService, call: str) -> None:
    refused = await refusal(on_one(service, call, NOBODYS, as_user(ADA)))

    assert (refused.code, refused.reason) == NOT_FOUND
    assert refused.metadata == {"asset_id": NOBODYS}


@pytest.mark.parametrize("call", CALLS)
async def test_an_asset_without_a_proper_id_is_invalid(service: StorageService, call: str) -> None:
    refused = await refusal(on_one(service, call, "not-a-uuid", as_user(ADA)))

    assert (refused.code, refused.reason, refused.fields) == (*INVALID, ["asset_id"])


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("metadata", "reason"),
    [((), "UNAUTHENTICATED"), (bearer("x"), "UNAUTHENTICATED"), (bearer(user_token(lifetime=-60)), "TOKEN_EXPIRED")],
    ids=["no token", "a bad token", "an expired token"],
)
async def test_nobody_is_let_in_without_a_token(service: StorageService, call: str, metadata: Any, reason: str) -> None:
    asset = await service.an_asset_of(ADA)

    refused = await refusal(on_one(service, call, asset.id, metadata))

    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAUTHENTICATED, reason)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (calls.ListAssetsRequest(limit=0), "limit"),
        (calls.ListAssetsRequest(limit=101), "limit"),
        (calls.ListAssetsRequest(offset=-1), "offset"),
        (calls.ListAssetsRequest(job_id="x"), "job_id"),
        (calls.ListAssetsRequest(asset_type=""), "asset_type"),
        (calls.ListAssetsRequest(asset_type="ban\0ner"), "asset_type"),
    ],
)
async def test_a_bad_filter_or_page_is_invalid(
    service: StorageService, request_: calls.ListAssetsRequest, field: str
) -> None:
    refused = await refusal(service.stub.ListAssets(request_, metadata=as_user(ADA)))

    assert (refused.code, refused.reason, refused.fields) == (*INVALID, [field])


async def test_a_list_shows_what_is_the_callers_newest_first(service: StorageService) -> None:
    mine = [await service.an_asset_of(ADA, asset_type=each) for each in (thumbnail, banner, thumbnail)]
    await service.an_asset_of(EVE)

    listed = await service.stub.ListAssets(calls.ListAssetsRequest(), metadata=as_user(ADA))
    page = await service.stub.ListAssets(calls.ListAssetsRequest(limit=1, offset=1), metadata=as_user(ADA))

    assert [asset.id for asset in listed.assets] == [asset.id for asset in reversed(mine)]
    assert (listed.total, listed.limit, listed.offset) == (3, 20, 0)
    assert [asset.id for asset in page.assets] == [mine[1].id]
    assert (page.total, page.limit, page.offset) == (3, 1, 1)
    assert (await service.file(page.assets[0].url)).data == PICTURE


async def test_a_list_can_be_narrowed_and_an_unknown_type_matches_nothing(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA, asset_type=banner)
    other = await service.an_asset_of(ADA)

    async def ids(**filters: str) -> list[str]:
        listed = await service.stub.ListAssets(calls.ListAssetsRequest(**filters), metadata=as_user(ADA))  # type: ignore[arg-type]
        return [each.id for each in listed.assets]

    assert await ids(asset_type="banner") == [asset.id]
    assert await ids(asset_type="emote") == []
    assert await ids(job_id=other.job_id.upper()) == [other.id]
    assert await ids(job_id=other.job_id, asset_type="banner") == []


async def test_a_service_lists_any_job(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)
    await service.an_asset_of(EVE)

    listed = await service.stub.ListAssets(calls.ListAssetsRequest(job_id=asset.job_id), metadata=AS_SERVICE)

    assert [each.id for each in listed.assets] == [asset.id]


async def test_a_deleted_asset_is_gone_with_its_bytes(service: StorageService, tmp_path: Path) -> None:
    asset = await service.make_public(await service.an_asset_of(ADA))
    request = calls.DeleteAssetRequest(asset_id=asset.id)

    call = service.stub.DeleteAsset(request, metadata=as_user(ADA))
    await call

    assert ("x-http-code", "204") in tuple(await call.initial_metadata())
    refused = [await refusal(on_one(service, call, asset.id, as_user(ADA))) for call in CALLS]
    assert {(each.code, each.reason) for each in refused} == {NOT_FOUND}
    assert ((await refusal(service.file(asset.url))).reason) == "NOT_OWNER"
    assert ((await refusal(service.shared(asset.id))).reason) == "ASSET_NOT_FOUND"
    listed = await service.stub.ListAssets(calls.ListAssetsRequest(), metadata=as_user(ADA))
    assert listed.total == 0
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


async def test_a_visibility_that_is_not_said_is_invalid(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)

    request = calls.SetVisibilityRequest(asset_id=asset.id)
    refused = await refusal(service.stub.SetVisibility(request, metadata=as_user(ADA)))

    assert (refused.code, refused.reason, refused.fields) == (*INVALID, ["is_public"])


@pytest.mark.parametrize("expires_in", [0, -1, 86401])
async def test_a_link_that_would_live_too_short_or_too_long_is_invalid(
    service: StorageService, expires_in: int
) -> None:
    asset = await service.an_asset_of(ADA)

    request = calls.GetSignedUrlRequest(asset_id=asset.id, expires_in=expires_in)
    refused = await refusal(service.stub.GetSignedUrl(request, metadata=as_user(ADA)))

    assert (refused.code, refused.reason, refused.fields) == (*INVALID, ["expires_in"])


async def test_a_disk_that_is_gone_is_unavailable_and_says_nothing_of_itself(
    service: StorageService, tmp_path: Path
) -> None:
    asset = await service.an_asset_of(ADA)
    rmtree(tmp_path / "blobs")

    upload = service.stub.UploadAsset(parts(an_info(), PICTURE), metadata=AS_SERVICE)
    for call in (upload, on_one(service, "delete", asset.id, as_user(ADA))):
        refused = await refusal(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
        assert "blobs" not in refused.message
