"""What jobs cost, on the whole system: the image API's own ledger is the judge."""

from __future__ import annotations

import asyncio
import io
import signal
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
from PIL import Image

from deploy.local.background import BackgroundSystem
from streamerstudio.generation.v1 import generation_service_pb2, usage_pb2
from streamerstudio.generation.v1.generation_service_pb2_grpc import GenerationServiceStub
from tests.builders import bearer
from tests.e2e.apps import Json, create_kit, finished, generate
from tests.fakes.http_server import Hang, Response
from tests.fakes.nano_banana import KEY, FakeNanoBanana, bills_then, fails, refuses, serves_slowly
from tests.systems import client_for, running_beside

pytestmark = pytest.mark.timeout(300)

LEASE = 9
"""Seconds: longer than a delivery goes unacknowledged, as in production."""


@dataclass(frozen=True, slots=True)
class Paying:
    """A system that pays, an app of one user, and whom it pays."""

    system: BackgroundSystem
    client: httpx.AsyncClient
    kit: Json
    api: FakeNanoBanana

    async def job(self, asset_type: str = "banner", **more: object) -> Json:
        return await generate(self.client, self.kit["id"], asset_type, **more)

    async def attempts(self, job_id: str) -> usage_pb2.AttemptList:
        """As the people who run it see them."""
        token = self.system.settings.service_token
        assert token is not None
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.system.settings.generation_port}") as channel:
            return await GenerationServiceStub(channel).ListAttempts(
                generation_service_pb2.ListAttemptsRequest(job_id=job_id), metadata=bearer(token.get_secret_value())
            )


@asynccontextmanager
async def paying(data_dir: Path, **settings: str) -> AsyncIterator[Paying]:
    async with FakeNanoBanana(honours_keys=False) as api:
        variables = {
            "STUDIO_PROVIDER": "nano_banana",
            "NANO_BANANA_BASE_URL": api.url,
            "NANO_BANANA_API_KEY": KEY,
            "CALL_LEASE": str(LEASE),
            "PROVIDER_PRICE_USD": "0.25",
            **settings,
        }
        user_id = f"user-{uuid.uuid4()}"
        async with running_beside(data_dir, **variables) as system, client_for(system, user_id) as client:
            yield Paying(system, client, await create_kit(client), api)


async def until(happened: Callable[[], bool], within: float = 20) -> None:
    """Waits for the image API to see something; it has no way to tell."""
    async with asyncio.timeout(within):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("each_database")
async def test_each_picture_is_paid_for_once_and_shown_as_used(tmp_path: Path) -> None:
    async with paying(tmp_path) as world:
        job = await finished(world.client, (await world.job(count=3))["id"])
        usage = (await world.client.get("/api/v1/usage")).json()
        attempts = await world.attempts(job["id"])
        picture = await world.client.get(job["assets"][0]["url"])

    assert job["status"] == "completed" and len(job["assets"]) == len(world.api.ledger) == 3
    assert len({made.seed for made in world.api.ledger}) == 3
    assert usage == {
        "generations_used": 1, "generations_limit": -1, "generations_remaining": -1, "generations_percentage": 0,
        "tier": "free", "tier_display": "Free", "can_upgrade": False, "upgrade_benefits": [], "active_jobs": 0,
        "paid_attempts": 3,
    }  # fmt: skip
    assert (attempts.billed, attempts.cost_usd) == (3, 0.75)
    assert [attempt.state for attempt in attempts.attempts] == [usage_pb2.paid] * 3
    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.size == (1200, 480)


async def test_what_the_api_says_decides_what_the_streamer_hears(tmp_path: Path) -> None:
    async with paying(tmp_path) as world:
        world.api.script.append(refuses())
        refused = await finished(world.client, (await world.job())["id"])
        world.api.script.append(fails(401))
        stranger = await finished(world.client, (await world.job())["id"])
        world.api.images.append(Response(200, {"content-type": "image/png"}, b"no picture at all"))
        junk = await finished(world.client, (await world.job())["id"])

    assert [job["error"] for job in (refused, stranger, junk)] == [
        {"reason": "CONTENT_POLICY", "stage": "render", "retryable": False},
        {"reason": "PROVIDER_AUTH", "stage": "render", "retryable": False},
        {"reason": "INVALID_IMAGE", "stage": "render", "retryable": True},
    ]
    assert all("own words" not in job["error_message"] and job["assets"] == [] for job in (refused, stranger, junk))
    assert len(world.api.ledger) == 1


async def test_a_partial_job_is_tried_again_only_where_it_failed(tmp_path: Path) -> None:
    async with paying(tmp_path) as world:
        world.api.script.append(refuses())
        job = await finished(world.client, (await world.job(count=3))["id"])
        retried = await world.client.post(f"/api/v1/jobs/{job['id']}:retry", json={})
        again = await finished(world.client, retried.json()["id"])
        too_often = await world.client.post(f"/api/v1/jobs/{again['id']}:retry")

    assert (job["status"], job["progress"], len(job["assets"])) == ("partial", 100, 2)
    assert job["error_message"].startswith("1 of 3 pictures could not be made.")
    assert retried.status_code == 201 and retried.json()["count"] == 1
    assert (again["status"], len(again["assets"])) == ("completed", 1)
    assert (too_often.status_code, too_often.json()["error"]["code"]) == (400, "INVALID_STATE_TRANSITION")
    assert len(world.api.ledger) == 3


async def test_a_picture_that_could_not_be_stored_is_not_paid_for_again(tmp_path: Path) -> None:
    async with paying(tmp_path, FINISH_BY="3") as world:
        world.system.stop_part("storage")
        late = await finished(world.client, (await world.job())["id"])
        world.system.start_part("storage")
        retried = (await world.client.post(f"/api/v1/jobs/{late['id']}:retry")).json()
        again = await finished(world.client, retried["id"])
        made_from = [(await world.attempts(job["id"])).prompts for job in (late, again)]

    assert (late["status"], late["error"]["reason"], late["error"]["stage"]) == ("failed", "STORAGE_ERROR", "store")
    assert again["status"] == "completed"
    assert len(world.api.ledger) == 1
    assert len(made_from[0]) == 1 and made_from[0] == made_from[1]


@pytest.mark.usefixtures("each_database")
async def test_a_worker_that_is_killed_in_its_call_costs_at_most_one_more(tmp_path: Path) -> None:
    async with paying(tmp_path) as world:
        world.api.script.append(bills_then(Hang()))
        job = await world.job()
        await until(lambda: len(world.api.ledger) == 1)

        world.system.kill("generation")

        done = await finished(world.client, job["id"], 60)
        attempts = await world.attempts(job["id"])
    assert done["status"] == "completed"
    assert len(world.api.ledger) == 2
    assert [attempt.state for attempt in attempts.attempts] == [usage_pb2.unknown, usage_pb2.paid]


async def test_a_worker_that_is_killed_in_every_call_stops_paying_at_two(tmp_path: Path) -> None:
    async with paying(tmp_path) as world:
        world.api.script.extend([bills_then(Hang())] * 5)
        job = await world.job()
        for paid in (1, 2):
            await until(lambda paid=paid: len(world.api.ledger) == paid, 60)  # type: ignore[misc]
            world.system.kill("generation")

        failed = await finished(world.client, job["id"], 60)
    assert failed["error"]["reason"] == "OUTCOME_UNKNOWN"
    assert len(world.api.ledger) == 2


async def test_a_worker_that_is_told_to_stop_finishes_the_call_it_pays_for(tmp_path: Path) -> None:
    async with paying(tmp_path) as world:
        world.api.script.append(serves_slowly)
        job = await world.job()
        await until(lambda: len(world.api.ledger) == 1)

        await asyncio.to_thread(world.system.stop_part, "generation")
        await asyncio.to_thread(world.system.start_part, "generation")

        done = await finished(world.client, job["id"], 60)
        attempts = await world.attempts(job["id"])
    assert done["status"] == "completed"
    assert len(world.api.ledger) == 1
    assert [attempt.state for attempt in attempts.attempts] == [usage_pb2.paid]


async def test_a_worker_that_sleeps_past_its_delivery_pays_nothing_twice(tmp_path: Path) -> None:
    async with paying(tmp_path) as world:
        world.api.script.append(serves_slowly)
        job = await world.job()
        await until(lambda: len(world.api.ledger) == 1)
        world.system.kill("generation", signal.SIGSTOP)
        await asyncio.sleep(7)  # past ack_wait, within the lease: the time is what is tested

        world.system.kill("generation", signal.SIGCONT)

        done = await finished(world.client, job["id"], 60)
    assert done["status"] == "completed"
    assert len(world.api.ledger) == 1


async def test_a_busy_api_is_left_alone_for_as_long_as_it_asks(tmp_path: Path) -> None:
    async with paying(tmp_path) as world:
        world.api.script.append(fails(429, retry_after="10"))
        jobs = [await world.job() for _ in range(3)]
        asked = asyncio.get_running_loop().time()

        done = [await finished(world.client, job["id"], 60) for job in jobs]
        took = asyncio.get_running_loop().time() - asked

    assert {job["status"] for job in done} == {"completed"}
    assert took >= 9
    assert len(world.api.ledger) == 3
    assert len(world.api.received("POST", "/generate")) <= 7  # those under way when the gate closed, and one each
