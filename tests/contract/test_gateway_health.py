"""What the gateway does when a service is sick, away, or gone in the middle of a call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
from google.protobuf.message import Message
from google.rpc import code_pb2

from deploy.local.ports import free_ports
from gateway.process import envoy_command, write_config
from gateway.settings import Address
from streamerstudio.generation.v1.generation_service_pb2 import GetJobRequest
from streamerstudio.generation.v1.generation_service_pb2_grpc import GenerationServiceStub
from streamerstudio.storage.v1 import asset_pb2, upload_pb2
from tests.builders import user_token
from tests.contract.cable import plugged_in
from tests.contract.gateway_process import bearer, running_gateway, settings_at, settings_for
from tests.contract.gateway_services import (
    NOT_SERVING,
    SERVING,
    Context,
    Running,
    Stage,
    error,
    hangs,
    refuses,
    running_services,
    says,
    start,
)
from tests.queueing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOKEN = bearer(user_token())
UNAVAILABLE = {"code": "UNAVAILABLE", "message": "something we need is down; try again in a moment"}
GRPC_TOKEN = [("authorization", TOKEN["Authorization"])]
NOBODY = {name: Address("127.0.0.1", 1) for name in ("prompt", "generation", "storage")}


@pytest_asyncio.fixture(loop_scope="session")
async def own(stage: Stage) -> AsyncIterator[dict[str, Running]]:
    """Services of this test's own, to make sick."""
    async with running_services(stage) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def client(own: dict[str, Running], tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway of this test's own, that has seen all services well."""
    async with running_gateway(settings_for(own), tmp_path, _impatient) as client:
        await eventually(_answers(client, "/readyz", 200))
        yield client


def _impatient(config: dict[str, Any]) -> None:
    """A hanging service is given half a second."""
    for cluster in config["static_resources"]["clusters"]:
        for check in cluster["health_checks"]:
            check.update(timeout="0.5s", interval="0.1s", no_traffic_healthy_interval="0.1s")


def _answers(client: httpx.AsyncClient, path: str, status: int) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        return (await client.get(path, headers=TOKEN)).status_code == status

    return answers


async def test_ready_is_said_soon_after_the_last_service_came(
    stage: Stage, own: dict[str, Running], tmp_path: Path
) -> None:
    await own["storage"].server.stop(None)
    async with running_gateway(settings_for(own), tmp_path) as client:
        before = await client.get("/readyz")

        own["storage"] = await start("storage", stage, own["storage"].address.port)
        came = time.monotonic()
        await eventually(_answers(client, "/readyz", 200))

    assert before.status_code == 503
    assert time.monotonic() - came < 2


async def test_one_part_that_is_not_ready_makes_readyz_503_and_nothing_else(
    client: httpx.AsyncClient, own: dict[str, Running]
) -> None:
    own["prompt"].health.states["ready"] = NOT_SERVING

    await eventually(_answers(client, "/readyz", 503))

    response = await client.get("/readyz")
    assert response.json()["error"] == UNAVAILABLE
    assert (await client.get("/healthz")).text == "ok"
    assert (await client.get("/api/v1/brand-kits", headers=TOKEN)).status_code == 200

    own["prompt"].health.states["ready"] = SERVING
    await eventually(_answers(client, "/readyz", 200))
    assert (await client.get("/readyz?verbose=1")).text == "ready"


async def test_a_part_that_hangs_makes_readyz_503(client: httpx.AsyncClient, own: dict[str, Running]) -> None:
    own["generation"].health.states["ready"] = None

    await eventually(_answers(client, "/readyz", 503))


async def test_a_service_that_cannot_serve_is_503_at_once_and_the_others_serve(
    client: httpx.AsyncClient, own: dict[str, Running], stage: Stage
) -> None:
    own["storage"].health.states[""] = NOT_SERVING

    await eventually(_answers(client, "/api/v1/assets", 503))

    stage.calls.clear()
    response = await client.delete("/api/v1/assets/x", headers=TOKEN)
    assert response.status_code == 503
    assert response.json()["code"] == 14
    assert response.json()["error"] == UNAVAILABLE
    assert stage.calls == []
    assert (await client.get("/api/v1/jobs", headers=TOKEN)).status_code == 200


async def test_without_any_service_every_call_is_503_and_the_gateway_lives(tmp_path: Path) -> None:
    async with running_gateway(settings_at(NOBODY), tmp_path) as client:
        calls = [await client.get(path, headers=TOKEN) for path in ("/readyz", "/api/v1/jobs", "/files/x")]
        alive = await client.get("/healthz")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{client.base_url.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await GenerationServiceStub(channel).GetJob(GetJobRequest(), metadata=GRPC_TOKEN)

    for response in calls:
        assert response.status_code == 503
        assert response.json()["error"] == UNAVAILABLE
    assert alive.status_code == 200
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert refused.value.details() == UNAVAILABLE["message"]


async def test_a_get_is_tried_again_when_a_service_was_unavailable(app: httpx.AsyncClient, stage: Stage) -> None:
    stage.answers["GetAsset"] = _unavailable_at_first(stage)

    response = await app.get("/api/v1/assets/x")

    assert response.status_code == 200
    assert len(stage.calls) == 3


async def test_a_get_that_stays_unavailable_is_503_after_three_tries(app: httpx.AsyncClient, stage: Stage) -> None:
    stage.answers["GetAsset"] = refuses(error(code_pb2.UNAVAILABLE, "database down", "UNAVAILABLE"))

    response = await app.get("/api/v1/assets/x")

    assert response.status_code == 503
    assert response.json()["message"] == "database down"
    assert len(stage.calls) == 3


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "POST"])
async def test_a_call_that_changes_something_is_never_sent_twice(
    app: httpx.AsyncClient, stage: Stage, method: str
) -> None:
    for name in ("DeleteAsset", "SetVisibility", "CreateJob"):
        stage.answers[name] = _unavailable_at_first(stage)
    path = {"DELETE": "/api/v1/assets/x", "POST": "/api/v1/generate"}.get(method, "/api/v1/assets/x/visibility")

    response = await app.request(method, path, json={})

    assert response.status_code == 503
    assert len(stage.calls) == 1


async def test_a_get_whose_answer_was_lost_is_asked_again(
    own: dict[str, Running], stage: Stage, tmp_path: Path
) -> None:
    stage.answers["GetAsset"] = hangs
    async with (
        plugged_in(own["storage"].address) as (cable, address),
        running_gateway(settings_for(own, storage=address), tmp_path) as client,
    ):
        await eventually(_answers(client, "/readyz", 200))
        call = asyncio.create_task(client.get("/api/v1/assets/x", headers=TOKEN))
        await eventually(lambda: _called(stage))
        stage.answers["GetAsset"] = says(asset_pb2.Asset(id="x"))
        cable.cut()
        response = await call

    assert response.json()["id"] == "x"
    assert len(stage.calls) == 2


async def test_a_change_whose_answer_was_lost_does_not_claim_that_nothing_was_accepted(
    own: dict[str, Running], stage: Stage, tmp_path: Path
) -> None:
    stage.answers["CreateJob"] = hangs
    async with (
        plugged_in(own["generation"].address) as (cable, address),
        running_gateway(settings_for(own, generation=address), tmp_path) as client,
    ):
        await eventually(_answers(client, "/readyz", 200))
        call = asyncio.create_task(client.post("/api/v1/generate", json={}, headers=TOKEN))
        await eventually(lambda: _called(stage))
        cable.cut()
        response = await call

    assert response.status_code == 502
    assert response.json()["error"]["code"] == "INTERNAL"
    assert response.json()["details"][0]["metadata"] == {"request_id": response.headers["x-request-id"]}
    assert len(stage.calls) == 1


async def test_a_change_whose_answer_was_lost_after_its_headers_does_not_claim_so_either(
    own: dict[str, Running], stage: Stage, tmp_path: Path
) -> None:
    begun = asyncio.Event()

    async def begins_and_hangs(request: Any, context: Context) -> AsyncIterator[Message]:
        await context.send_initial_metadata(())
        begun.set()
        await asyncio.Event().wait()
        yield upload_pb2.Upload()

    stage.answers["UploadImage"] = begins_and_hangs
    async with (
        plugged_in(own["storage"].address) as (cable, address),
        running_gateway(settings_for(own, storage=address), tmp_path) as client,
    ):
        await eventually(_answers(client, "/readyz", 200))
        call = asyncio.create_task(client.post("/api/v1/uploads", content=b"a picture", headers=TOKEN))
        await begun.wait()
        # Once this answer is here, so are the headers that went the same way before it.
        await client.get("/api/v1/assets/x", headers=TOKEN)
        cable.cut()
        assert (await call).status_code == 502


async def test_a_native_call_whose_answer_was_lost_is_unavailable_as_grpc_has_it(
    own: dict[str, Running], stage: Stage, tmp_path: Path
) -> None:
    stage.answers["GetJob"] = hangs
    async with (
        plugged_in(own["generation"].address) as (cable, address),
        running_gateway(settings_for(own, generation=address), tmp_path) as client,
        grpc.aio.insecure_channel(f"127.0.0.1:{client.base_url.port}") as channel,
    ):
        await eventually(_answers(client, "/readyz", 200))
        call = GenerationServiceStub(channel).GetJob(GetJobRequest(), metadata=GRPC_TOKEN)
        sent = asyncio.ensure_future(call)
        await eventually(lambda: _called(stage))
        cable.cut()
        with pytest.raises(grpc.aio.AioRpcError) as lost:
            await sent

    assert lost.value.code() is grpc.StatusCode.UNAVAILABLE
    assert lost.value.details() == UNAVAILABLE["message"]


async def _called(stage: Stage) -> bool:
    return bool(stage.calls)


def _unavailable_at_first(stage: Stage) -> Callable[[Any, Context], AsyncIterator[Message]]:
    """Refuses the first two tries."""
    refusal = refuses(error(code_pb2.UNAVAILABLE, "away", "UNAVAILABLE"))
    served = says(asset_pb2.Asset(id="x"))

    def answer(request: Any, context: Context) -> AsyncIterator[Message]:
        return (served if len(stage.calls) > 2 else refusal)(request, context)

    return answer


async def test_a_port_that_is_taken_is_not_shared_in_silence(own: dict[str, Running], tmp_path: Path) -> None:
    settings = settings_for(own)
    [admin_port] = free_ports(1)
    config = tmp_path / "second.json"
    write_config(replace(settings, admin_port=admin_port), config)

    async with running_gateway(settings, tmp_path):
        command = envoy_command(config, log_level="off")
        second = await asyncio.create_subprocess_exec(*command)
        try:
            code = await asyncio.wait_for(second.wait(), 10)
        finally:
            if second.returncode is None:
                second.kill()
                await second.wait()

    assert code != 0
