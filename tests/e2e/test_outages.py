"""Something the system stands on is away for a while: calls say so, jobs wait, then everything completes, paid once.

`TEST_OUTAGE_SECONDS=30` makes the outages as long as real ones.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.background import BackgroundSystem
from deploy.local.studio import embedded_nats_url
from tests.e2e.apps import Json, create_kit, events, finished, generate
from tests.fakes.nano_banana import KEY, FakeNanoBanana, serves_slowly
from tests.postgres import running_postgres
from tests.queueing import open_queue, work_is_done
from tests.systems import client_for, running_system

pytestmark = pytest.mark.timeout(300)

OUTAGE = float(os.environ.get("TEST_OUTAGE_SECONDS", "3"))
SOON = 25.0
"""Seconds within which a waiting job completes when what was away is back."""
SERVICES = ("prompt", "generation", "storage")


@dataclass(frozen=True, slots=True)
class World:
    """A system that pays for its pictures, and an app."""

    system: BackgroundSystem
    client: httpx.AsyncClient
    kit: Json
    api: FakeNanoBanana
    data: Path
    services: dict[str, int]
    """By name, the process of each as it was at the start."""

    async def job(self, count: int = 1) -> Json:
        return await generate(self.client, self.kit["id"], "banner", count=count)

    async def submit(self) -> httpx.Response:
        order = {"asset_type": "banner", "brand_kit_id": self.kit["id"]}
        return await self.client.post("/api/v1/generate", json=order)

    async def poll(self, job: Json) -> httpx.Response:
        return await self.client.get(f"/api/v1/jobs/{job['id']}")

    async def complete(self, *jobs: Json) -> None:
        """Every job completes soon, each picture of it paid once."""
        done = [await finished(self.client, job["id"], SOON) for job in jobs]
        assert {job["status"] for job in done} == {"completed"}
        assert all(len(job["assets"]) == job["count"] for job in done)
        assert len(self.api.ledger) == sum(job["count"] for job in done)
        assert list((self.data / "renders").iterdir()) == []

    def stop(self, part: str) -> None:
        self.system.stop_part(part)
        self.services.pop(part, None)

    async def kill(self, service: str) -> None:
        """Returns when it was started again: which is to happen once."""
        self.system.kill(service)
        await until(lambda: self.system.pid(service) != self.services[service])
        self.services[service] = self.system.pid(service)


@asynccontextmanager
async def world(data: Path, **settings: str) -> AsyncIterator[World]:
    async with FakeNanoBanana(honours_keys=False) as api:
        paying = {"STUDIO_PROVIDER": "nano_banana", "NANO_BANANA_BASE_URL": api.url, "NANO_BANANA_API_KEY": KEY}
        with running_system(data, **paying, **settings) as system:
            async with client_for(system, "ada") as client:
                services = {name: system.pid(name) for name in SERVICES}
                yield World(system, client, await create_kit(client), api, data, services)
                for name, pid in services.items():
                    assert system.pid(name) == pid, f"{name} was started again"


def said(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


UNAVAILABLE = (503, "UNAVAILABLE")


async def moments(seconds: float = OUTAGE) -> AsyncIterator[None]:
    """Comes by every so often, for so long."""
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    while clock() < end:
        yield
        await asyncio.sleep(0.3)  # the time is what is tested


async def until(happened: Callable[[], bool], within: float = 20) -> None:
    """Waits for something in another process, which has no way to tell."""
    async with asyncio.timeout(within):
        while not happened():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_the_database_is_away(tmp_path: Path) -> None:
    with running_postgres() as postgres:
        async with world(tmp_path, DATABASE_URL=postgres.url) as it:
            it.api.script.extend([serves_slowly] * 4)
            jobs = [await it.job(count=2) for _ in range(3)]
            await until(lambda: len(it.api.ledger) == 4)

            postgres.stop()
            await it.kill("prompt")
            async for _ in moments():
                assert said(await it.submit()) == said(await it.poll(jobs[0])) == UNAVAILABLE
            postgres.start()

            await it.complete(*jobs)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """A shell that has begun to write, and does not end."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        yield
        shell.rollback()


async def test_the_database_is_locked(tmp_path: Path) -> None:
    async with world(tmp_path, DATABASE_URL="") as it:  # a lock of SQLite's
        it.api.script.extend([serves_slowly] * 4)
        jobs = [await it.job(count=2) for _ in range(3)]
        await until(lambda: len(it.api.ledger) == 4)

        with held(tmp_path / "generation.db"):
            async for _ in moments():
                before = asyncio.get_running_loop().time()
                refused, *polled = await asyncio.gather(it.submit(), *(it.poll(job) for job in jobs))
                assert said(refused) == UNAVAILABLE
                assert asyncio.get_running_loop().time() - before < 10
                assert {answer.json()["status"] for answer in polled} <= {"queued", "processing"}
                assert (await it.client.get("/readyz")).status_code == 200

        await it.complete(*jobs)


async def test_nats_is_away(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        it.api.script.extend([serves_slowly] * 4)
        jobs = [await it.job(count=2) for _ in range(3)]
        await until(lambda: len(it.api.ledger) == 4)

        it.stop("nats")
        async for _ in moments():
            jobs.append(await it.job())
            assert (await it.poll(jobs[0])).status_code == 200
            first = await anext(events(it.client, jobs[-1]["id"]))
            assert (first["type"], first["status"]) == ("progress", "queued")
        cancelled = await it.job()
        assert (await it.client.post(f"/api/v1/jobs/{cancelled['id']}:cancel", json={})).status_code == 200
        it.system.start_part("nats")

        await it.complete(*jobs)
        assert (await it.poll(cancelled)).json()["error"]["reason"] == "CANCELLED"


async def test_storage_is_away(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        old = await it.job()
        await finished(it.client, old["id"])

        it.stop("storage")
        jobs = [await it.job(count=2) for _ in range(3)]
        async for _ in moments():
            assert said(await it.poll(old)) == UNAVAILABLE
            assert (await it.poll(jobs[0])).json()["status"] in ("queued", "processing")
        it.system.start_part("storage")
        await it.complete(old, *jobs)


async def test_what_is_cancelled_while_storage_is_away_leaves_no_picture(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        it.stop("storage")
        jobs = [await it.job(count=2) for _ in range(3)]
        for job in jobs:
            await is_rendered(it, job)
        cancelled, *others = jobs
        answer = await it.client.post(f"/api/v1/jobs/{cancelled['id']}:cancel", json={})
        assert (answer.json()["status"], answer.json()["error"]["reason"]) == ("failed", "CANCELLED")

        it.system.start_part("storage")
        for job in others:
            assert (await finished(it.client, job["id"], SOON))["status"] == "completed"
        async with open_queue(embedded_nats_url(it.system.settings)) as queue:
            await work_is_done(queue)

        # Its pictures were in the queue, so they were stored; and then deleted, one second or two later.
        blobs = tmp_path / "blobs" / "private"
        await until(lambda: len(list(blobs.iterdir())) == sum(job["count"] for job in others), SOON)
        # Generation asks storage by itself: the gateway may see a second later that it is there again.
        await asyncio.to_thread(it.system.wait_ready, SOON)
        listed = await it.client.get("/api/v1/assets", params={"job_id": cancelled["id"]})
        assert listed.json()["total"] == 0
        assert (await it.poll(cancelled)).json()["status"] == "failed"


async def is_rendered(it: World, job: Json) -> None:
    async with asyncio.timeout(SOON):
        while (await it.poll(job)).json()["progress"] != 70:  # noqa: ASYNC110  it is another process
            await asyncio.sleep(0.05)


async def test_the_place_for_pictures_is_away(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        old = await it.job()
        url = (await finished(it.client, old["id"]))["assets"][0]["url"]

        (tmp_path / "blobs").rename(tmp_path / "away")
        jobs = [await it.job(count=2) for _ in range(3)]
        async for _ in moments():
            assert said(await it.client.get(url)) == UNAVAILABLE
            assert (await it.poll(jobs[0])).json()["status"] in ("queued", "processing")
        (tmp_path / "away").rename(tmp_path / "blobs")

        await it.complete(old, *jobs)
        assert (await it.client.get(url)).status_code == 200
