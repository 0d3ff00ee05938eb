"""Two replicas of a service behind the gateway: one stops, dies or hangs, and the other one answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from chassis.server import running
from gateway.settings import Address
from streamerstudio.generation.v1.job_pb2 import Job
from streamerstudio.storage.v1.asset_pb2 import Asset
from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceStub
from tests.builders import user_token
from tests.contract.cable import Cable, plugged_in
from tests.contract.gateway_process import bearer, running_gateway, settings_at
from tests.contract.gateway_services import NOT_SERVING, SERVING, Running, Stage, hangs, says, start
from tests.queueing import eventually
from tests.scripted import ADA, ASSET, Context, Script, a_service

TOKEN = bearer(user_token("ada"))
NOBODY = Address("127.0.0.1", 1)
JOB = {"asset_type": "banner"}
KEY = {"Idempotency-Key": "9b2e"}


@dataclass
class Pair:
    """Two replicas of generation; the first is reached through a cable."""

    client: httpx.AsyncClient
    admin: str
    cable: Cable
    stages: tuple[Stage, Stage]
    replicas: tuple[Running, Running]

    @property
    def calls(self) -> list[int]:
        """How many calls reached each of them."""
        return [len(stage.calls) for stage in self.stages]

    async def under_way_at_the_first(self, method: str, path: str, **more: Any) -> asyncio.Task[httpx.Response]:
        """A call that the first replica has and will not answer; who gets a call is drawn by lot."""
        self.stages[0].answers.update(CreateJob=hangs, GetJob=hangs)
        while True:
            call = asyncio.create_task(self.client.request(method, path, timeout=60, **more))

            async def is_there(call: asyncio.Task[httpx.Response] = call) -> bool:
                return call.done() or self.calls[0] == 1

            await eventually(is_there)
            if not call.done():
                self.stages[1].calls.clear()
                return call


async def healthy(client: httpx.AsyncClient, admin: str, cluster: str, count: int) -> None:
    """Returns when the gateway takes so many replicas for healthy."""

    async def are() -> bool:
        stats = await client.get(f"{admin}/stats?filter=cluster.{cluster}.membership_healthy")
        return int(stats.text.rpartition(":")[2]) == count

    await eventually(are)


def _quickly(config: dict[str, Any]) -> None:
    """Health is looked at ten times a second."""
    for cluster in config["static_resources"]["clusters"]:
        for check in cluster["health_checks"]:
            check.update(interval="0.1s", no_traffic_healthy_interval="0.1s")


@asynccontextmanager
async def gateway_before(tmp_path: Path, **services: Any) -> AsyncIterator[tuple[httpx.AsyncClient, str]]:
    """A gateway, and where its own pages are; a service that is not named is nowhere."""
    settings = settings_at({**dict.fromkeys(("prompt", "generation", "storage"), NOBODY), **services})
    async with running_gateway(settings, tmp_path, _quickly) as client:
        client.headers.update(TOKEN)
        yield client, f"http://127.0.0.1:{settings.admin_port}"


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    stages = (Stage(), Stage())
    for stage, name in zip(stages, ("first", "second"), strict=True):
        stage.answers.update(CreateJob=says(Job(id=name)), GetJob=says(Job(id=name)))
    replicas = (await start("generation", stages[0]), await start("generation", stages[1]))
    async with (
        plugged_in(replicas[0].address) as (cable, address),
        gateway_before(tmp_path, generation=(address, replicas[1].address)) as (client, admin),
    ):
        found = Pair(client, admin, cable, stages, replicas)
        await healthy(client, admin, "generation", 2)
        yield found
    await asyncio.gather(*(replica.server.stop(None) for replica in replicas))


async def test_who_is_back_gets_calls_as_soon_as_the_gateway_counts_it(tmp_path: Path) -> None:
    storage = await start("storage", Stage())
    async with gateway_before(tmp_path, storage=storage.address) as (client, admin):

        async def is_asked() -> bool:
            return (await client.get("/api/v1/assets")).status_code == 200

        for _ in range(3):
            await healthy(client, admin, "storage", 1)
            await eventually(is_asked, within=0.5)  # Envoy's default is to keep such news back for up to a second
            storage.health.states[""] = NOT_SERVING
            await healthy(client, admin, "storage", 0)
            storage.health.states[""] = SERVING
    await storage.server.stop(None)


async def test_a_replica_that_stops_is_left_before_it_refuses_calls(tmp_path: Path) -> None:
    async def answers(_: Context) -> Asset:
        return Asset(id="answered")

    service = a_service(Script(asset=answers))  # type: ignore[abstract]
    async with AsyncExitStack() as stack:
        stopping = AsyncExitStack()
        first = await stopping.enter_async_context(running(service, notice=4, grace=6))
        second = await stack.enter_async_context(running(service, grace=0.1))
        replicas = (Address("127.0.0.1", first), Address("127.0.0.1", second))
        client, admin = await stack.enter_async_context(gateway_before(tmp_path, storage=replicas))
        await healthy(client, admin, "storage", 2)

        stop = asyncio.create_task(stopping.aclose())
        answered = asyncio.create_task(_until(stop, lambda: client.get(f"/api/v1/assets/{ASSET.asset_id}")))
        await healthy(client, admin, "storage", 1)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{first}") as channel:
            still = await StorageServiceStub(channel).GetAsset(ASSET, metadata=ADA)
        await stop

        assert still.id == "answered", "it was left, and had not refused"
        assert {response.status_code for response in await answered} == {200}


async def _until(end: asyncio.Task[None], call: Callable[[], Awaitable[httpx.Response]]) -> list[httpx.Response]:
    answers = []
    while not end.done():
        answers.append(await call())
    return answers


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/v1/jobs/x"), ("POST", "/api/v1/generate")])
async def test_what_a_dead_replica_never_saw_goes_to_the_other(tmp_path: Path, method: str, path: str) -> None:
    """Before its next health check tells: the gateway has to find out by itself."""
    stage = Stage()
    dead, alive = await start("generation", Stage()), await start("generation", stage)
    async with gateway_before(tmp_path, generation=(dead.address, alive.address)) as (client, admin):
        await healthy(client, admin, "generation", 2)
        await dead.server.stop(None)

        answers = [await client.request(method, path, json=JOB if method == "POST" else None) for _ in range(20)]

        assert {answer.status_code for answer in answers} == {200}
        assert len(stage.calls) == 20
    await alive.server.stop(None)


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [("GET", "/api/v1/jobs/x", {}), ("POST", "/api/v1/generate", {"json": JOB, "headers": KEY})],
    ids=["a read", "a job under a key"],
)
async def test_what_may_be_repeated_is_sent_to_the_other_when_its_answer_is_lost(
    pair: Pair, method: str, path: str, more: dict[str, Any]
) -> None:
    call = await pair.under_way_at_the_first(method, path, **more)

    pair.cable.cut()

    assert (await call).json()["id"] == "second"
    assert pair.calls == [1, 1]


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [("GET", "/api/v1/jobs/x", {}), ("POST", "/api/v1/generate", {"json": JOB, "headers": KEY})],
    ids=["a read", "a job under a key"],
)
async def test_what_may_be_repeated_does_not_wait_for_a_replica_that_hangs(
    pair: Pair, method: str, path: str, more: dict[str, Any]
) -> None:
    call = await pair.under_way_at_the_first(method, path, **more)

    pair.cable.flows.clear()

    assert (await call).json()["id"] == "second"


async def test_a_job_without_a_key_is_not_sent_twice(pair: Pair) -> None:
    call = await pair.under_way_at_the_first("POST", "/api/v1/generate", json=JOB)

    pair.cable.cut()

    assert (await call).status_code == 502
    assert pair.calls == [1, 0]


async def test_a_service_is_not_ready_while_one_of_its_replicas_is_not_and_answers_all_the_same(pair: Pair) -> None:
    pair.replicas[1].health.states["ready"] = NOT_SERVING

    await healthy(pair.client, pair.admin, "generation_ready", 1)

    assert (await pair.client.get("/readyz")).status_code == 503
    assert (await pair.client.get("/api/v1/jobs/x")).status_code == 200
