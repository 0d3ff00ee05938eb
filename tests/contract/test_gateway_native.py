"""gRPC through the gateway, on the port that REST uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
from google.api import httpbody_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status.rpc_status import from_call

from streamerstudio.generation.v1 import generation_service_pb2, generation_service_pb2_grpc, job_pb2
from streamerstudio.prompt.v1 import brand_kit_service_pb2, brand_kit_service_pb2_grpc
from streamerstudio.storage.v1 import storage_service_pb2, storage_service_pb2_grpc
from tests.builders import bearer, service_token, user_token
from tests.contract.gateway_services import Call, Context, Stage, error, hangs, refuses, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

USER = bearer(user_token())
GetJob = generation_service_pb2.GetJobRequest


@pytest_asyncio.fixture(loop_scope="session")
async def channel(gateway: httpx.AsyncClient, stage: Stage) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.base_url.port}") as channel:
        yield channel


def untyped(channel: grpc.aio.Channel) -> Any:
    """For what its stubs do not know: bytes as messages, and that a channel may be asynchronous."""
    return channel


def reason_of(refusal: grpc.aio.AioRpcError) -> tuple[int, str]:
    """The code and the reason in the details, as a rich client reads them."""
    status = from_call(refusal)  # type: ignore[arg-type]
    assert isinstance(status, status_pb2.Status)
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    return status.code, info.reason


async def test_each_service_is_reached_by_its_name(channel: grpc.aio.Channel, stage: Stage) -> None:
    kits = brand_kit_service_pb2_grpc.BrandKitServiceStub(channel)
    assets = storage_service_pb2_grpc.StorageServiceStub(channel)

    await generation_service_pb2_grpc.GenerationServiceStub(channel).GetJob(GetJob(), metadata=USER)
    await kits.ListBrandKits(brand_kit_service_pb2.ListBrandKitsRequest(), metadata=USER)
    await assets.GetAsset(storage_service_pb2.GetAssetRequest(), metadata=USER)

    assert [(call.service, call.method) for call in stage.calls] == [
        ("generation", "GetJob"), ("prompt", "ListBrandKits"), ("storage", "GetAsset"),
    ]  # fmt: skip


async def test_an_upload_may_be_larger_than_any_rest_body(channel: grpc.aio.Channel, stage: Stage) -> None:
    chunk = bytes(1_000_000)

    async def parts() -> AsyncIterator[storage_service_pb2.UploadAssetRequest]:
        for _ in range(5):
            yield storage_service_pb2.UploadAssetRequest(chunk=chunk)

    stub = storage_service_pb2_grpc.StorageServiceStub(channel)
    await stub.UploadAsset(parts(), metadata=bearer(service_token()))

    assert sum(len(part.chunk) for part in stage.call.request) == 5_000_000


async def test_a_stream_arrives_message_by_message(channel: grpc.aio.Channel, stage: Stage) -> None:
    go_on = asyncio.Event()

    async def events(request: Any, context: Context) -> AsyncIterator[job_pb2.JobEvent]:
        yield job_pb2.JobEvent(event_id="1")
        await go_on.wait()
        yield job_pb2.JobEvent(event_id="2")

    stage.answers["WatchJob"] = events
    stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
    watching = aiter(stub.WatchJob(generation_service_pb2.WatchJobRequest(job_id="x"), metadata=USER))

    first = await anext(watching)
    go_on.set()
    rest = [event.event_id async for event in watching]

    assert (first.event_id, rest) == ("1", ["2"])


async def test_an_error_arrives_as_it_was_sent(channel: grpc.aio.Channel, stage: Stage) -> None:
    stage.answers["GetJob"] = refuses(
        error(code_pb2.NOT_FOUND, "no job ü", "JOB_NOT_FOUND"), metadata=[("retry-after", "1")]
    )

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await generation_service_pb2_grpc.GenerationServiceStub(channel).GetJob(GetJob(), metadata=USER)

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert refused.value.details() == "no job ü"
    assert reason_of(refused.value) == (code_pb2.NOT_FOUND, "JOB_NOT_FOUND")


@pytest.mark.parametrize(
    ("token", "reason", "message"),
    [
        ("nonsense", "UNAUTHENTICATED", "a valid access token is needed"),
        (user_token(lifetime=-60), "TOKEN_EXPIRED", "the access token has expired"),
    ],
)
async def test_a_bad_token_is_unauthenticated_with_its_reason(
    channel: grpc.aio.Channel, stage: Stage, token: str, reason: str, message: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await generation_service_pb2_grpc.GenerationServiceStub(channel).GetJob(GetJob(), metadata=bearer(token))

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert refused.value.details() == message
    assert reason_of(refused.value) == (code_pb2.UNAUTHENTICATED, reason)
    assert stage.calls == []


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/other.v1.Service/Do", "/streamerstudio.work.v1.Work/Do"])
async def test_what_is_no_method_is_unimplemented(channel: grpc.aio.Channel, stage: Stage, path: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await untyped(channel).unary_unary(path)(b"", metadata=USER)

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert reason_of(refused.value) == (code_pb2.UNIMPLEMENTED, "ROUTE_NOT_FOUND")


async def test_the_callers_deadline_is_the_only_one(channel: grpc.aio.Channel, stage: Stage) -> None:
    stage.answers["GetJob"] = hangs

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await generation_service_pb2_grpc.GenerationServiceStub(channel).GetJob(GetJob(), metadata=USER, timeout=0.2)

    assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_pictures_are_open_to_native_callers_too(channel: grpc.aio.Channel, stage: Stage) -> None:
    stage.answers["GetSharedAsset"] = says(httpbody_pb2.HttpBody(content_type="image/png", data=b"x"))
    stub = storage_service_pb2_grpc.StorageServiceStub(channel)

    parts = [part.data async for part in stub.GetSharedAsset(storage_service_pb2.GetSharedAssetRequest())]

    assert parts == [b"x"]


async def test_health_and_reflection_are_open_and_generations(channel: grpc.aio.Channel, stage: Stage) -> None:
    health: Any = health_pb2_grpc.HealthStub(channel)
    reflection: Any = reflection_pb2_grpc.ServerReflectionStub(untyped(channel))
    asked = reflection_pb2.ServerReflectionRequest(list_services="")

    state = await health.Check(health_pb2.HealthCheckRequest(service="ready"))
    [answer] = [answer async for answer in reflection.ServerReflectionInfo(iter([asked]))]

    assert state.status == health_pb2.HealthCheckResponse.SERVING
    names = [service.name for service in answer.list_services_response.service]
    assert names == ["streamerstudio.generation.v1.GenerationService"]


async def test_what_callers_say_of_themselves_as_envoy_is_dropped(
    channel: grpc.aio.Channel, app: httpx.AsyncClient, stage: Stage
) -> None:
    claims = {
        "x-envoy-original-path": "/api/v1/x", "x-envoy-original-method": "GET", "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-retry-on": "5xx", "x-envoy-internal": "true", "x-forwarded-for": "10.0.0.1",
    }  # fmt: skip

    await generation_service_pb2_grpc.GenerationServiceStub(channel).GetJob(GetJob(), metadata=(*USER, *claims.items()))
    await app.get("/api/v1/jobs", headers=claims)

    native, rest = stage.calls
    assert _said(native) == {}
    assert _said(rest) == {"x-envoy-original-path": "/api/v1/jobs", "x-envoy-original-method": "GET"}


def _said(call: Call) -> dict[str, str]:
    return {name: value for name, value in call.metadata.items() if name.startswith("x-envoy-")}
