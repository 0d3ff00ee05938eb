"""The stream of a job under faults: it is resumed, never goes back, ends with the end, and says what polling says."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.background import BackgroundSystem
from tests.e2e.apps import TERMINAL, Json, create_kit, finished, generate
from tests.systems import client_for, running_system, token_for

pytestmark = pytest.mark.timeout(300)

WATCHERS = 300
THREADS_AT_MOST = 8
"""More, for whatever reason: a pool of threads grows with its first uses."""
GROWTH_AT_MOST = 60 * 2**20
"""Bytes that so many watchers may take; it is about 30 KB each."""


class Watcher:
    """An app that follows a job to its end, whatever breaks; there are two ways to say how far it is."""

    def __init__(self, client: httpx.AsyncClient, job_id: str, *, by_header: bool = False) -> None:
        self._client = client
        self._path = f"/api/v1/jobs/{job_id}/stream"
        self._by_header = by_header
        self.seen: list[Json] = []
        self.breaks = 0
        self.is_following = asyncio.Event()

    async def follow(self) -> None:
        while not (self.seen and self.seen[-1]["type"] in ("completed", "failed")):
            try:
                await self._follow_once()
            except httpx.TransportError:
                self.breaks += 1
            await asyncio.sleep(0.05)

    async def _follow_once(self) -> None:
        last = self.seen[-1]["event_id"] if self.seen else None
        headers = {"Last-Event-ID": last} if last and self._by_header else {}
        query = {"after": last} if last and not self._by_header else {}
        async with self._client.stream("GET", self._path, params=query, headers=headers) as response:
            if response.status_code == 503:
                return
            assert response.status_code == 200, await response.aread()
            async for line in response.aiter_lines():
                if line:
                    self.seen.append(json.loads(line.removeprefix("data: ")))
                    self.is_following.set()

    def check(self, job: Json) -> None:
        """Holds what was seen against how the job stands at its end."""
        revisions = [int(event["event_id"]) for event in self.seen]
        told = [event for event in self.seen if event["type"] != "heartbeat"]
        assert revisions == sorted(revisions)
        assert [event["progress"] for event in told] == sorted(event["progress"] for event in told)
        assert [event["status"] in TERMINAL for event in told] == [False] * (len(told) - 1) + [True]
        assert without_links(told[-1]["job"]) == without_links(job)


def without_links(job: Json) -> Json:
    """Signed links differ with the second in which they were made."""
    return {**job, "assets": [{**asset, "url": ""} for asset in job["assets"]]}


async def ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass  # the gateway is the part that was killed
            await asyncio.sleep(0.05)


async def test_a_stream_is_resumed_through_the_death_of_every_part_it_passes(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        async with client_for(system, "ada") as client:
            kit = await create_kit(client)
            system.stop_part("storage")  # so that no job ends before its turn
            jobs = [await generate(client, kit["id"], "banner", count=2) for _ in range(2)]
            watchers = [Watcher(client, job["id"], by_header=header) for job in jobs for header in (False, True)]
            following = [asyncio.create_task(watcher.follow()) for watcher in watchers]
            await asyncio.gather(*(watcher.is_following.wait() for watcher in watchers))

            for part in ("generation", "nats", "gateway"):
                before = system.pid(part)
                system.kill(part)
                async with asyncio.timeout(30):
                    while system.pid(part) == before:  # noqa: ASYNC110  the supervisor is in another thread
                        await asyncio.sleep(0.02)
            system.start_part("storage")
            await ready(client)
            async with asyncio.timeout(60):
                await asyncio.gather(*following)
            done = [await finished(client, job["id"]) for job in jobs]

    for watcher, job in zip(watchers, [done[0], done[0], done[1], done[1]], strict=True):
        watcher.check(job)
        assert watcher.breaks or len(watcher.seen) > 2


async def test_a_stream_stays_open_while_storage_is_away_and_then_ends_with_the_end(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        async with client_for(system, "ada") as client:
            kit = await create_kit(client)
            system.stop_part("storage")
            job = await generate(client, kit["id"], "banner")
            watcher = Watcher(client, job["id"])
            following = asyncio.create_task(watcher.follow())
            async with asyncio.timeout(30):
                while not (watcher.seen and watcher.seen[-1].get("progress") == 70):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

            system.start_part("storage")
            await following
            watcher.check(await finished(client, job["id"]))

    assert watcher.breaks == 0


async def test_hundreds_watch_one_process_without_a_thread_or_a_subscription_each(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        async with httpx.AsyncClient(
            base_url=system.url,
            headers={"Authorization": f"Bearer {token_for(system, 'ada')}"},
            limits=httpx.Limits(max_connections=None),
            timeout=60,
            trust_env=False,
        ) as client:
            kit = await create_kit(client)
            system.stop_part("prompt")
            job = await generate(client, kit["id"], "banner")
            before = await asyncio.to_thread(Resources.of, system)
            watchers = [Watcher(client, job["id"]) for _ in range(WATCHERS)]
            following = [asyncio.create_task(watcher.follow()) for watcher in watchers]
            await asyncio.gather(*(watcher.is_following.wait() for watcher in watchers))
            during = await asyncio.to_thread(Resources.of, system)

            system.start_part("prompt")
            async with asyncio.timeout(60):
                await asyncio.gather(*following)
            done = await finished(client, job["id"])

    for watcher in watchers:
        watcher.check(done)
        assert watcher.breaks == 0
    assert during.subscriptions == before.subscriptions
    assert during.threads - before.threads < THREADS_AT_MOST
    assert during.memory - before.memory < GROWTH_AT_MOST


@dataclass(frozen=True, slots=True)
class Resources:
    """What the generation service takes."""

    threads: int
    memory: int
    """Bytes."""
    subscriptions: int
    """At the NATS server."""

    @classmethod
    def of(cls, system: BackgroundSystem) -> Resources:
        status = Path(f"/proc/{system.pid('generation')}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        connections = httpx.get(f"http://127.0.0.1:{system.settings.monitor_port}/connz", trust_env=False).json()
        (ours,) = [each for each in connections["connections"] if each["name"] == "generation"]
        return cls(int(fields["Threads"]), int(fields["VmRSS"].split()[0]) * 1024, ours["subscriptions"])
