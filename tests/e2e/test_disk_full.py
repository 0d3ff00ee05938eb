"""The disk runs full while jobs are under way: what was accepted waits, and completes when there is room."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.background import BackgroundSystem
from deploy.local.errors import DataDirUnusable
from tests.disks import MIB, SmallDisk, on_a_small_disk
from tests.e2e.apps import Json, create_kit, finished, generate
from tests.fakes.nano_banana import KEY, FakeNanoBanana, serves_slowly
from tests.systems import client_for, running_system

pytestmark = pytest.mark.timeout(300)

FULL_FOR = float(os.environ.get("TEST_OUTAGE_SECONDS", "4"))
"""Seconds; an outage that is told of every thirty seconds takes longer than a test should."""
LINES_AT_MOST = 12
"""About the disk, from one part that has four pictures in its hands."""
PARTS = ("prompt", "generation", "storage", "gateway")
EACH = 2
AT_ONCE = 4
"""Pictures that one worker makes at a time."""


@dataclass(frozen=True, slots=True)
class Crowded:
    """A system on a small disk."""

    system: BackgroundSystem
    data: Path
    said: list[str]
    """On the terminal."""

    def files(self, below: str) -> list[str]:
        return [path.name for path in (self.data / below).rglob("*") if path.is_file()]

    def lines(self, part: str, *about: str) -> list[str]:
        """What a part has in its log about something."""
        lines = (self.data / "logs" / f"{part}.log").read_text(errors="replace").splitlines()
        return [line for line in lines if any(word in line for word in about)]

    def pids(self) -> dict[str, int]:
        return {part: self.system.pid(part) for part in PARTS}


@contextmanager
def crowded(data: Path, **settings: str) -> Iterator[Crowded]:
    said: list[str] = []
    # The databases are on the disk that fills.
    with running_system(data, said.append, DATABASE_URL="", **settings) as system:
        yield Crowded(system, data, said)


@on_a_small_disk(64 * MIB)
async def test_on_a_full_disk_jobs_are_refused_or_wait_and_none_is_lost(disk: SmallDisk) -> None:
    with crowded(disk.path / "data") as world:
        before = world.pids()
        async with client_for(world.system, "ada") as client:
            kit = await create_kit(client)
            accepted = [await generate(client, kit["id"], "banner", count=EACH) for _ in range(8)]

            disk.fill()
            world.system.kill("prompt")
            await started_again(world.system, "prompt", before["prompt"])
            before["prompt"] = world.system.pid("prompt")
            refused = 0
            async for _ in moments(FULL_FOR):
                response = await submit(client, kit)
                if response.status_code == 201:
                    accepted.append(response.json())
                else:
                    assert is_refused(response)
                    refused += 1
                polled = await client.get(f"/api/v1/jobs/{accepted[0]['id']}")
                assert polled.status_code == 200, polled.text
                disk.fill()  # what is done with leaves a little room
            disk.make_room()

            done = [await finished(client, job["id"], 60) for job in accepted]
            after = await finished(client, (await generate(client, kit["id"], "banner"))["id"])
        drafts, renders, blobs = world.files("blobs/drafts"), world.files("renders"), world.files("blobs")
        assert world.pids() == before, "no part was started again"

    assert refused
    assert {job["status"] for job in [*done, after]} == {"completed"}
    assert all(len(job["assets"]) == job["count"] for job in done)
    assert (drafts, renders) == ([], [])
    assert len(blobs) == sum(job["count"] for job in [*done, after])
    assert sum("is full" in line for line in world.said) == 1 + FULL_FOR // 60
    assert [line for line in world.said if line.endswith("has room again")]
    told = world.lines("generation", "disk is full", "No space left")
    assert 0 < len(told) <= LINES_AT_MOST * (1 + FULL_FOR // 30)


@on_a_small_disk(64 * MIB)
async def test_a_queue_on_a_full_disk_stores_again_when_there_is_room(disk: SmallDisk) -> None:
    data = disk.path.parent / "data"
    data.mkdir()
    (disk.path / "nats").mkdir()
    (data / "nats").symlink_to(disk.path / "nats")
    with crowded(data) as world:
        before, nats = world.pids(), world.system.pid("nats")
        async with client_for(world.system, "ada") as client:
            kit = await create_kit(client)
            done_before = await finished(client, (await generate(client, kit["id"], "banner"))["id"])
            disk.fill()

            accepted = [await generate(client, kit["id"], "banner", count=EACH) for _ in range(4)]
            await readiness(client, 503, 20)  # a publish that is not answered takes five seconds to fail
            async for _ in moments(FULL_FOR / 2):
                accepted.append(await generate(client, kit["id"], "banner"))
                assert (await client.get(f"/api/v1/jobs/{done_before['id']}")).json()["status"] == "completed"
            disk.make_room()

            done = [await finished(client, job["id"], 60) for job in accepted]
            await readiness(client, 200, 20)
        assert world.pids() == before and world.system.pid("nats") != nats

    assert {job["status"] for job in done} == {"completed"}
    assert [line for line in world.said if line.startswith("nats stores nothing more: ")]
    assert world.files("renders") == []


@on_a_small_disk(64 * MIB)
async def test_on_a_full_disk_no_picture_is_paid_for_twice(disk: SmallDisk) -> None:
    async with FakeNanoBanana(honours_keys=False) as api:
        settings = {"STUDIO_PROVIDER": "nano_banana", "NANO_BANANA_BASE_URL": api.url, "NANO_BANANA_API_KEY": KEY}
        with crowded(disk.path / "data", **settings) as world:
            async with client_for(world.system, "ada") as client:
                kit = await create_kit(client)
                api.script.extend([serves_slowly] * AT_ONCE)
                accepted = [await generate(client, kit["id"], "banner", count=EACH) for _ in range(AT_ONCE)]
                async with asyncio.timeout(20):
                    while len(api.ledger) < AT_ONCE:  # noqa: ASYNC110  the API has no way to tell
                        await asyncio.sleep(0.01)

                disk.fill()
                async for _ in moments(FULL_FOR):
                    disk.fill()
                paid = len(api.ledger)
                disk.make_room()

                done = [await finished(client, job["id"], 60) for job in accepted]

    assert {job["status"] for job in done} == {"completed"}
    assert paid == AT_ONCE, "nothing more is paid for that could not be kept"
    assert len(api.ledger) == EACH * len(accepted)


@on_a_small_disk(8 * MIB)
async def test_on_a_full_disk_nothing_is_started_and_a_sentence_says_why(disk: SmallDisk) -> None:
    with pytest.raises(DataDirUnusable, match="is full; 16 MiB must be free to start"), crowded(disk.path / "data"):
        pass


async def submit(client: httpx.AsyncClient, kit: Json) -> httpx.Response:
    return await client.post("/api/v1/generate", json={"asset_type": "banner", "brand_kit_id": kit["id"]})


def is_refused(response: httpx.Response) -> bool:
    """Whether nothing was accepted, said in our shape and without a word about disks or databases of ours."""
    body = response.json()
    return (
        response.status_code == 503
        and body["code"] == 14
        and body["error"] == {"code": "UNAVAILABLE", "message": "the database is not available"}
    )


async def started_again(system: BackgroundSystem, part: str, before: int) -> None:
    async with asyncio.timeout(20):
        while system.pid(part) == before:  # noqa: ASYNC110  the supervisor is in another thread
            await asyncio.sleep(0.02)


async def moments(seconds: float) -> AsyncIterator[None]:
    """Comes by every so often, for so long."""
    clock = asyncio.get_running_loop().time
    end = clock() + seconds
    while clock() < end:
        yield
        await asyncio.sleep(0.2)  # the time is what is tested


async def readiness(client: httpx.AsyncClient, status: int, within: float) -> None:
    """Returns when the system says that of itself."""
    async with asyncio.timeout(within):
        while (await client.get("/readyz")).status_code != status:  # noqa: ASYNC110  it is another process
            await asyncio.sleep(0.05)
