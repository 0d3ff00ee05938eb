"""Uploads on Supabase Storage: in a bucket of their own, which nobody reads without a link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import repeat
from pathlib import Path

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody

from streamerstudio.storage.v1 import upload_service_pb2 as calls
from streamerstudio.storage.v1.upload_pb2 import Upload
from streamerstudio.storage.v1.upload_service_pb2_grpc import UploadServiceStub
from tests.blob_places import opens
from tests.contract.test_storage_supabase import on_supabase
from tests.fakes.supabase import FakeSupabase, instead
from tests.fakes.supabase_answers import denied
from tests.pictures import a_picture
from tests.prompt_service import refusal
from tests.storage_service import AS_SERVICE, StorageService, as_user

ADA = as_user("ada")


@pytest.fixture
async def storage() -> AsyncIterator[FakeSupabase]:
    async with FakeSupabase() as storage:
        yield storage


@pytest.fixture
async def service(storage: FakeSupabase, tmp_path: Path) -> AsyncIterator[StorageService]:
    async with on_supabase(storage, tmp_path) as service:
        yield service


async def upload_to(service: StorageService) -> Upload:
    picture = iter([HttpBody(data=a_picture(800, 600))])
    return await UploadServiceStub(service.channel).UploadImage(picture, metadata=ADA)


async def test_an_upload_is_in_a_private_bucket_and_opens_by_its_link(
    service: StorageService, storage: FakeSupabase
) -> None:
    upload = await upload_to(service)

    [(name, kept)] = storage.buckets["uploads"].objects.items()
    assert len(kept.data) == upload.file_size
    assert kept.content_type == upload.content_type == "image/jpeg"
    assert await opens(upload.url) and f"/object/sign/uploads/{name}?" in upload.url
    assert not await opens(f"{storage.url}/storage/v1/object/public/uploads/{name}")
    request = calls.ReadUploadRequest(upload_id=upload.id, user_id="ada")
    read = UploadServiceStub(service.channel).ReadUpload(request, metadata=AS_SERVICE)
    assert b"".join([part.data async for part in read]) == kept.data


async def test_a_deleted_upload_is_gone_from_its_bucket(service: StorageService, storage: FakeSupabase) -> None:
    upload = await upload_to(service)

    await UploadServiceStub(service.channel).DeleteUpload(calls.DeleteUploadRequest(upload_id=upload.id), metadata=ADA)

    assert storage.buckets["uploads"].objects == {}
    assert not await opens(upload.url)


async def test_a_supabase_that_refuses_is_unavailable_and_nothing_is_kept(
    service: StorageService, storage: FakeSupabase
) -> None:
    await upload_to(service)
    storage.faults = repeat(instead(denied("signature verification failed")))

    refused = await refusal(upload_to(service))

    storage.faults = iter(())
    listed = await UploadServiceStub(service.channel).ListUploads(calls.ListUploadsRequest(), metadata=ADA)
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
    assert (listed.total, len(storage.buckets["uploads"].objects)) == (1, 1)
