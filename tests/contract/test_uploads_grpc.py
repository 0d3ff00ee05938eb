"""Uploads over gRPC: in chunks from their owners, and out to services on their owners' behalf."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.rpc import error_details_pb2
from grpc_status.rpc_status import from_call

from services.storage.upload_domain import MAX_UPLOAD_BYTES, MAX_UPLOADS
from services.storage.upload_servicer import IN_MEMORY_AT_ONCE
from streamerstudio.storage.v1 import upload_service_pb2 as calls
from streamerstudio.storage.v1.upload_pb2 import Upload
from streamerstudio.storage.v1.upload_service_pb2_grpc import UploadServiceStub
from tests.builders import bearer
from tests.contract.uploads_world import PICTURE, World, running_world
from tests.storage_service import AS_SERVICE, NOBODYS, as_user


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        yield world


async def refused(call: Any) -> tuple[grpc.StatusCode, str, str]:
    """The code, the reason and the message that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await call if not hasattr(call, "__aiter__") else [part async for part in call]
    status, info = from_call(ended.value), error_details_pb2.ErrorInfo()  # type: ignore[arg-type]
    assert status is not None and status.details[0].Unpack(info)
    return ended.value.code(), info.reason, status.message


def parts(data: bytes, size: int = 100_000) -> Iterator[HttpBody]:
    for start in range(0, len(data), size):
        yield HttpBody(content_type="image/png", data=data[start : start + size])


async def test_over_grpc_a_picture_comes_in_chunks_and_services_read_it_for_its_owner(world: World) -> None:
    upload = await world.stub.UploadImage(parts(PICTURE), metadata=as_user("ada"))
    request = calls.ReadUploadRequest(upload_id=upload.id, user_id="ada")

    chunks = [part async for part in world.stub.ReadUpload(request, metadata=AS_SERVICE)]

    data = b"".join(chunk.data for chunk in chunks)
    assert {chunk.content_type for chunk in chunks} == {"image/jpeg"}
    assert len(data) == upload.file_size
    assert data == (await world.opened(upload.url)).content
    assert (
        await world.stub.GetUpload(calls.GetUploadRequest(upload_id=upload.id), metadata=AS_SERVICE)
    ).id == upload.id


async def test_bytes_are_read_for_their_owner_alone_and_by_services_alone(world: World) -> None:
    upload = await world.stub.UploadImage(parts(PICTURE), metadata=as_user("ada"))
    read, denied = world.stub.ReadUpload, grpc.StatusCode.PERMISSION_DENIED

    for user_id, upload_id, metadata, code, reason in (
        ("bob", upload.id, AS_SERVICE, denied, "NOT_OWNER"),
        ("ada", NOBODYS, AS_SERVICE, grpc.StatusCode.NOT_FOUND, "UPLOAD_NOT_FOUND"),
        ("ada", upload.id, as_user("ada"), denied, "SERVICE_ONLY"),
        ("", upload.id, AS_SERVICE, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        ("ada", "7", AS_SERVICE, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    ):
        request = calls.ReadUploadRequest(upload_id=upload_id, user_id=user_id)
        assert (await refused(read(request, metadata=metadata)))[:2] == (code, reason)


def endless(sent: list[int]) -> Iterator[HttpBody]:
    """More than anybody could hold; notes how much of it was asked for."""
    while sum(sent) < 100 * MAX_UPLOAD_BYTES:
        sent.append(2**20)
        yield HttpBody(data=b"\0" * 2**20)


async def test_a_stream_that_does_not_end_is_not_read_to_its_end(world: World) -> None:
    sent: list[int] = []

    def bring() -> grpc.RpcError:
        # The client that waits: the other one says INTERNAL when it is stopped in the middle of a message.
        with grpc.insecure_channel(f"127.0.0.1:{world.port}") as channel, pytest.raises(grpc.RpcError) as ended:
            UploadServiceStub(channel).UploadImage(endless(sent), metadata=as_user("ada"))
        return ended.value

    error: Any = await asyncio.to_thread(bring)

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.details() == "the picture is over 10 MiB"
    assert sum(sent) < 10 * MAX_UPLOAD_BYTES


async def test_an_upload_belongs_to_a_user_so_a_service_makes_none(world: World) -> None:
    code, reason, _ = await refused(world.stub.UploadImage(parts(PICTURE), metadata=AS_SERVICE))
    nobody = await refused(world.stub.UploadImage(parts(PICTURE), metadata=bearer("no token")))

    assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    assert nobody[0] is grpc.StatusCode.UNAUTHENTICATED


class Crowd:
    """Uploads that have begun, and end when they are told to."""

    def __init__(self, world: World, users: Iterable[str]) -> None:
        self._begun, self._leave = asyncio.Semaphore(0), asyncio.Event()
        self.calls = [asyncio.create_task(self._bring(world, user_id)) for user_id in users]

    async def has_begun(self) -> None:
        for _ in self.calls:
            await self._begun.acquire()

    async def end(self) -> Sequence[Upload]:
        self._leave.set()
        return await asyncio.gather(*(call for call in self.calls if not call.done()))

    async def _bring(self, world: World, user_id: str) -> Upload:
        return await world.stub.UploadImage(self._slowly(), metadata=as_user(user_id))

    async def _slowly(self) -> AsyncIterator[HttpBody]:
        yield HttpBody(data=PICTURE[:1000])
        self._begun.release()
        await self._leave.wait()
        yield HttpBody(data=PICTURE[1000:])


async def test_a_crowd_that_brings_its_pictures_slowly_keeps_nobody_waiting(world: World) -> None:
    crowd = Crowd(world, [f"slow{number}" for number in range(3 * IN_MEMORY_AT_ONCE)])
    await crowd.has_begun()

    await world.uploaded("bob")

    assert len(await crowd.end()) == 3 * IN_MEMORY_AT_ONCE


async def test_who_brings_more_at_once_than_they_may_keep_is_told_to_come_again(world: World) -> None:
    crowd = Crowd(world, ["ada"] * (MAX_UPLOADS + 1))

    (one_too_many,), _ = await asyncio.wait(crowd.calls, return_when=asyncio.FIRST_COMPLETED)
    answer = await world.post(PICTURE)

    assert (await refused(one_too_many))[:2] == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMIT")
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "RATE_LIMIT")
    assert answer.headers["retry-after"] == "5"
    await world.uploaded("bob")
    assert len(await crowd.end()) == MAX_UPLOADS
