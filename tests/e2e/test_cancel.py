"""A job is cancelled at every stage: it ends failed, and nothing of it is left."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from tests.e2e.apps import create_kit, events, finished, generate
from tests.systems import client_for, running_system


async def test_a_waiting_job_is_cancelled_once_and_stays_so(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        async with client_for(system, "ada") as client:
            kit = await create_kit(client)
            system.stop_part("prompt")
            job = await generate(client, kit["id"], count=2)

            cancelled = await client.post(f"/api/v1/jobs/{job['id']}:cancel", json={})
            again = await client.post(f"/api/v1/jobs/{job['id']}:cancel")
            system.start_part("prompt")
            after = await finished(client, (await generate(client, kit["id"]))["id"])
            told = [event async for event in events(client, job["id"])]

    assert cancelled.status_code == 200
    assert (cancelled.json()["status"], cancelled.json()["error"]["reason"]) == ("failed", "CANCELLED")
    assert (again.status_code, again.json()["error"]["code"]) == (400, "INVALID_STATE_TRANSITION")
    assert after["status"] == "completed"
    assert (told[-1]["type"], told[-1]["error"]) == ("failed", "This job was cancelled.")


async def test_whenever_a_job_is_cancelled_no_asset_of_it_is_left(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        async with client_for(system, "ada") as client:
            kit = await create_kit(client)
            jobs = [await generate(client, kit["id"], "banner", count=4) for _ in range(6)]

            for number, job in enumerate(jobs):
                await asyncio.sleep(0.05 * number)  # another stage each time: the time is what is tested
                await client.post(f"/api/v1/jobs/{job['id']}:cancel")

            done = [await finished(client, job["id"]) for job in jobs]
            cancelled = [job for job in done if job["status"] == "failed"]
            async with asyncio.timeout(30):
                # Storage deletes them soon after; it does not say when.
                while any([await assets_of(client, job["id"]) for job in cancelled]):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)

    assert cancelled and all(job["error"]["reason"] == "CANCELLED" for job in cancelled)
    assert all(job["assets"] == [] for job in cancelled)


async def assets_of(client: httpx.AsyncClient, job_id: str) -> int:
    return int((await client.get("/api/v1/assets", params={"job_id": job_id})).json()["total"])
