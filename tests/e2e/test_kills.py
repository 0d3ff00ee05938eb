"""Any one part may die: it comes back, what was accepted is finished, and the next job completes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from deploy.local.background import BackgroundSystem
from tests.e2e.apps import create_kit, events, finished, generate
from tests.systems import client_for, running_system

pytestmark = pytest.mark.timeout(300)

PARTS = ("nats", "prompt", "generation", "storage", "gateway")


async def ready(client: httpx.AsyncClient, within: float = 30) -> None:
    async with asyncio.timeout(within):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass  # the gateway is the part that was killed
            await asyncio.sleep(0.05)


async def started_again(system: BackgroundSystem, part: str, before: int) -> None:
    """Not every death is seen from outside: nats is back sooner than a health check comes round."""
    async with asyncio.timeout(30):
        while system.pid(part) == before:  # noqa: ASYNC110 the supervisor is in another thread and has no event
            await asyncio.sleep(0.02)


async def not_ready(client: httpx.AsyncClient, within: float = 30) -> None:
    async with asyncio.timeout(within):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 503:
                    return
            except httpx.TransportError:
                return
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("each_database")
async def test_every_part_may_be_killed_while_jobs_are_under_way(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        async with client_for(system, "ada") as client:
            kit = await create_kit(client)
            for part in PARTS:
                before = system.pid(part)
                jobs = [await generate(client, kit["id"], "banner", custom_prompt=f"{part} dies") for _ in range(5)]

                system.kill(part)
                await started_again(system, part, before)
                await ready(client)

                done = [await finished(client, job["id"], 60) for job in jobs]
                after = await finished(client, (await generate(client, kit["id"], "banner"))["id"])
                assert {job["status"] for job in [*done, after]} == {"completed"}, part
                assert all(len(job["assets"]) == 1 for job in done), part


async def test_jobs_are_accepted_while_nats_is_away_and_made_when_it_is_back(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        async with client_for(system, "ada") as client:
            kit = await create_kit(client)
            system.stop_part("nats")
            await not_ready(client)

            jobs = [await generate(client, kit["id"], "banner") for _ in range(5)]
            system.start_part("nats")

            done = [await finished(client, job["id"], 60) for job in jobs]
            assert {job["status"] for job in done} == {"completed"}


async def test_a_stream_lives_through_a_restart_by_its_event_id(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        async with client_for(system, "ada") as client:
            kit = await create_kit(client)
            system.stop_part("storage")
            job = await generate(client, kit["id"], "banner")
            seen: list[dict[str, object]] = []
            restarted = False
            async with asyncio.timeout(60):
                while not seen or seen[-1]["type"] not in ("completed", "failed"):
                    await _follow(client, job["id"], seen)
                    if not restarted:
                        restarted = True
                        system.kill("generation")
                        system.start_part("storage")
                    await asyncio.sleep(0.1)

    ids = [int(str(event["event_id"])) for event in seen]
    assert ids == sorted(ids)
    assert seen[-1]["status"] == "completed"


async def _follow(client: httpx.AsyncClient, job_id: str, seen: list[dict[str, object]]) -> None:
    """Reads until the job is rendered, or the stream ends or breaks."""
    after = str(seen[-1]["event_id"]) if seen else None
    try:
        async for event in events(client, job_id, after):
            seen.append(event)
            if event.get("progress") == 70:
                return
    except (httpx.TransportError, AssertionError):
        return  # come again
