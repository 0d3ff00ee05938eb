"""Apps that never rest: they submit, poll, watch and change things, and remember what went wrong."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.local.background import BackgroundSystem
from tests.e2e.apps import TERMINAL, Json, create_kit, finished
from tests.systems import client_for

PAUSE = 0.1
"""Seconds between two calls of one app; what is tested is not speed."""
ENDED_WITHIN = 60.0


@dataclass
class Load:
    """What the apps of one user did, and what they were told."""

    client: httpx.AsyncClient
    kit_id: str
    failures: Counter[str] = field(default_factory=Counter)
    """`PUT 502`, or `PUT broke` when there was no answer; `watch` is reading an event stream."""
    stories: list[str] = field(default_factory=list)
    """The failures at length."""
    answers: int = 0
    """Calls that succeeded."""
    jobs: list[str] = field(default_factory=list)
    """Every job that was acknowledged."""
    ended: list[Json] = field(default_factory=list)
    """How they all ended; known when the load is over."""
    watched: dict[str, list[Json]] = field(default_factory=dict)
    """The events of jobs that were watched to their end."""

    async def call(self, method: str, path: str, **more: Any) -> httpx.Response | None:
        """One call; None when it failed for a reason that lies with the system."""
        try:
            response = await self.client.request(method, path, **more)
        except httpx.TransportError as error:
            self._failed(f"{method} broke", f"{path}: {error!r}")
            return None
        if response.status_code >= 500:
            self._failed(f"{method} {response.status_code}", f"{path}: {response.text}")
            return None
        assert response.status_code < 400, (method, path, response.text)
        self.answers += 1
        return response

    async def submit(self, headers: dict[str, str] | None = None) -> str | None:
        """Asks for one job, once; its id when it was acknowledged."""
        body = {"asset_type": "banner", "brand_kit_id": self.kit_id}
        response = await self.call("POST", "/api/v1/generate", json=body, headers=headers)
        if response is None:
            return None
        self.jobs.append(str(response.json()["id"]))
        return self.jobs[-1]

    async def submit_for_certain(self) -> str:
        """Asks for one job under a key, until it is acknowledged."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        while True:
            job_id = await self.submit(key)
            if job_id is not None:
                return job_id
            await asyncio.sleep(PAUSE)

    async def poll(self) -> None:
        """Reads from every service."""
        for path in ("/api/v1/jobs?limit=3", "/api/v1/assets?limit=3", "/api/v1/brand-kits", *self._newest_job()):
            await self.call("GET", path)

    async def change(self) -> None:
        """Changes something that every service keeps."""
        await self.call("PUT", f"/api/v1/brand-kits/{self.kit_id}", json={"name": f"Kit {uuid.uuid4()}"})
        assets = await self.call("GET", "/api/v1/assets?limit=1")
        for asset in assets.json()["assets"] if assets else ():
            side = {"is_public": not asset["is_public"]}
            await self.call("PUT", f"/api/v1/assets/{asset['id']}/visibility", json=side)

    async def watch(self) -> None:
        """Follows the newest job to its end; comes again with the last event it saw, as an app does."""
        for path in self._newest_job():
            events: list[Json] = []
            while not events or events[-1].get("status") not in TERMINAL:
                await self._read(f"{path}/stream", {"after": events[-1]["event_id"]} if events else {}, events)
            self.watched[path] = events

    def _newest_job(self) -> list[str]:
        return [f"/api/v1/jobs/{job_id}" for job_id in self.jobs[-1:]]

    async def _read(self, path: str, after: dict[str, str], events: list[Json]) -> None:
        try:
            async with self.client.stream("GET", path, params=after) as response:
                if response.status_code >= 500:
                    self._failed(f"watch {response.status_code}", path)
                    return await asyncio.sleep(PAUSE)
                async for line in response.aiter_lines():
                    if line:
                        events.append(json.loads(line.removeprefix("data: ")))
        except httpx.TransportError as error:
            self._failed("watch broke", f"{path}: {error!r}")

    def _failed(self, what: str, story: str) -> None:
        self.failures[what] += 1
        self.stories.append(f"{what}: {story}")


@asynccontextmanager
async def under_load(system: BackgroundSystem, submit: Callable[[Load], Awaitable[object]]) -> AsyncIterator[Load]:
    """Load for as long as the block takes; then waits for the end of every job that was acknowledged."""
    async with client_for(system, f"user-{uuid.uuid4()}") as client:
        load = Load(client, (await create_kit(client))["id"])
        ending = asyncio.Event()
        async with asyncio.TaskGroup() as apps:
            for work in (submit, Load.poll, Load.poll, Load.change, Load.watch, Load.watch):
                apps.create_task(_again(load, work, ending))
            try:
                yield load
            finally:
                ending.set()
        load.ended = [await finished(client, job_id, ENDED_WITHIN) for job_id in load.jobs]
        await _nothing_was_made_twice(load)


async def _again(load: Load, work: Callable[[Load], Awaitable[object]], ending: asyncio.Event) -> None:
    while not ending.is_set():
        await work(load)
        await asyncio.sleep(PAUSE)


async def _nothing_was_made_twice(load: Load) -> None:
    """Every job has ended well, with one picture, and there are no other jobs and pictures than theirs."""
    assert {job["status"] for job in load.ended} == {"completed"}, [job.get("error") for job in load.ended]
    assert {len(job["assets"]) for job in load.ended} == {1}
    for path in ("/api/v1/jobs", "/api/v1/assets"):
        assert (await load.client.get(path)).json()["total"] == len(set(load.jobs)), path
    for events in load.watched.values():
        ids = [int(event["event_id"]) for event in events]
        assert ids == sorted(ids), "no stream went back"
