"""The Guard around a real server: streams, and callers that leave."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from chassis.auth import current_caller
from chassis.telemetry import current_request_id
from streamerstudio.storage.v1.asset_pb2 import Asset, UploadResult
from streamerstudio.storage.v1.storage_service_pb2 import (
    UploadAssetRequest,
)
from tests.scripted import ADA, ASSET, CHUNK, FILE, SERVICE, Context, failure, parts, serving


async def test_grpcs_own_servicers_write_by_themselves() -> None:
    async with serving() as service:
        health: Any = HealthStub(service.channel)
        watch = health.Watch(HealthCheckRequest())

        answer = await watch.read()
        refused = await failure(health.Check(HealthCheckRequest(service="nobody")))

    assert isinstance(answer, HealthCheckResponse)
    assert refused.code is grpc.StatusCode.NOT_FOUND


async def test_every_message_of_a_stream_is_validated() -> None:
    seen: list[UploadAssetRequest] = []

    async def upload(requests: AsyncIterator[UploadAssetRequest]) -> UploadResult:
        async for request in requests:
            seen.append(request)
        return UploadResult()

    async def chat(requests: AsyncIterator[UploadAssetRequest]) -> AsyncGenerator[Asset, None]:
        async for request in requests:
            seen.append(request)
            yield Asset()

    async with serving(upload=upload, chat=chat) as service:
        sent = [CHUNK, UploadAssetRequest(), CHUNK]
        failures = [
            await failure(service.stub.UploadAsset(iter(sent), metadata=SERVICE)),
            await failure(parts(service.chat(iter(sent), metadata=ADA))),
        ]

    assert [(failed.reason, failed.fields) for failed in failures] == [("INVALID_REQUEST", ["part"])] * 2
    assert seen == [CHUNK, CHUNK]


async def test_streams_both_ways_end_when_both_have_ended() -> None:
    async def chat(requests: AsyncIterator[UploadAssetRequest]) -> AsyncGenerator[Asset, None]:
        async for request in requests:
            yield Asset(id=request.chunk.decode())
        yield Asset(id="bye")

    async with serving(chat=chat) as service:
        sent = [UploadAssetRequest(chunk=b"1"), UploadAssetRequest(chunk=b"2")]

        assert [asset.id for asset in await parts(service.chat(iter(sent), metadata=ADA))] == ["1", "2", "bye"]


async def test_an_upload_that_its_caller_left_is_not_taken_for_a_whole_one() -> None:
    started, outcomes = asyncio.Event(), asyncio.Queue[str]()

    async def upload(requests: AsyncIterator[UploadAssetRequest]) -> UploadResult:
        try:
            async for _ in requests:
                started.set()
            outcomes.put_nowait("whole")
        except asyncio.CancelledError:
            outcomes.put_nowait("left")
            raise
        return UploadResult()

    async with serving(upload=upload) as service:
        for _ in range(20):
            started.clear()
            call = service.stub.UploadAsset(metadata=SERVICE)
            await call.write(CHUNK)
            await started.wait()
            call.cancel()

            assert await outcomes.get() == "left"


def errors_logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_caller_that_leaves_ends_the_work_for_them_and_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    started, ended = asyncio.Event(), asyncio.Queue[str]()

    async def asset(_: Context) -> Asset:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            ended.put_nowait(current_caller().user_id)
        return Asset()

    async with serving(asset=asset) as service:
        call = service.stub.GetAsset(ASSET, metadata=ADA)
        await started.wait()
        call.cancel()

        assert await ended.get() == "ada"
        late = await failure(service.stub.GetAsset(ASSET, metadata=ADA, timeout=0.1))
        assert late.code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert await ended.get() == "ada"

    assert errors_logged(caplog) == []


@pytest.mark.parametrize("waiting", [True, False], ids=["for something to say", "to be heard"])
async def test_a_watcher_that_leaves_closes_its_stream_in_the_call_it_belongs_to(
    waiting: bool, caplog: pytest.LogCaptureFixture
) -> None:
    closed = asyncio.Queue[tuple[str, asyncio.Task[Any] | None]]()

    async def file(context: Context) -> AsyncGenerator[HttpBody, None]:
        served_by = asyncio.current_task()
        try:
            while True:
                yield HttpBody(data=b"x" * 65536)
                if waiting:
                    await asyncio.Event().wait()
        finally:
            same = asyncio.current_task() is served_by
            closed.put_nowait((current_request_id(), None if same else asyncio.current_task()))

    async with serving(file=file) as service:
        for number in range(10):
            call = service.stub.GetFile(FILE, metadata=(("x-request-id", f"watch-{number}"),))
            await call.read()
            call.cancel()

            assert await closed.get() == (f"watch-{number}", None)

    assert errors_logged(caplog) == []
