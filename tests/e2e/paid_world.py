"""A running system that pays for its pictures, and its queues, for tests that put something into them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import nats
from google.protobuf.message import Message
from nats.aio.msg import Msg

from chassis.ending import end
from chassis.queue import Queue
from deploy.local.background import BackgroundSystem
from deploy.local.studio import embedded_nats_url
from tests.e2e.apps import Json, create_kit, finished, generate
from tests.fakes.nano_banana import KEY, FakeNanoBanana
from tests.queueing import open_queue, work_is_done
from tests.systems import client_for, running_system

SUBJECTS = ("work.prompt", "work.render", "work.store", "work.outcome")


@dataclass(slots=True)
class Queues:
    """What was said in the queues while we listened, and a way to say more."""

    queue: Queue
    heard: list[Msg] = field(default_factory=list)

    async def say(self, subject: str, message: Message | bytes) -> None:
        """Under an id that nothing had before."""
        data = message if isinstance(message, bytes) else message.SerializeToString()
        await self.queue.publish(subject, data, message_id=str(uuid.uuid4()))

    async def settled(self) -> None:
        """Returns once every message is answered for."""
        await work_is_done(self.queue)

    async def reasons(self) -> list[tuple[str, str]]:
        """Who put each dead letter aside, and why; the newest first."""
        letters, _ = await self.queue.dead_letters.newest(before=None, limit=100)
        return [(letter.consumer, letter.reason) for letter in letters]


@asynccontextmanager
async def listening(system: BackgroundSystem) -> AsyncIterator[Queues]:
    """Hears every message of the system's own once, whoever it is for."""
    url = embedded_nats_url(system.settings)
    client = await nats.connect(url)
    async with open_queue(url) as queue:
        queues, ids = Queues(queue), set[str]()

        async def hear(message: Msg) -> None:
            message_id = (message.headers or {}).get("Nats-Msg-Id", "")
            if ":" in message_id and message_id not in ids:
                ids.add(message_id)
                queues.heard.append(message)

        await client.subscribe("work.*", cb=hear)
        await client.flush()
        try:
            yield queues
        finally:
            await client.close()


@asynccontextmanager
async def doubling(queues: Queues) -> AsyncIterator[None]:
    """Says everything that is heard a second time, at once, under another id."""

    async def double() -> None:
        done = 0
        while True:
            for message in queues.heard[done:]:
                await queues.say(message.subject, message.data)
                done += 1
            await asyncio.sleep(0.001)

    task = asyncio.create_task(double())
    try:
        yield
    finally:
        await end(task, patience=0.5)


async def heard_of(queues: Queues, subject: str) -> bytes:
    """The first message on the subject, once there is one."""
    async with asyncio.timeout(60):
        while True:
            for message in queues.heard:
                if message.subject == subject:
                    return message.data
            await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class World:
    """A system that pays for its pictures, an app of one user, and the queues."""

    system: BackgroundSystem
    client: httpx.AsyncClient
    kit: Json
    api: FakeNanoBanana
    queues: Queues

    async def job(self, **more: Any) -> Json:
        return await generate(self.client, self.kit["id"], "banner", **more)

    async def completes(self, job: Json) -> Json:
        """The job as it ended; well, and with each of its pictures once."""
        done = await finished(self.client, job["id"], 60)
        assert done["status"] == "completed", done
        assert len(done["assets"]) == await self.assets_of(job) == job["count"]
        return done

    async def assets_of(self, job: Json) -> int:
        return await self.total(job_id=job["id"])

    async def total(self, **query: str) -> int:
        """How many assets there are; asked until the gateway has heard that storage is back."""
        async with asyncio.timeout(30):
            while True:
                answer = await self.client.get("/api/v1/assets", params=query)
                if answer.status_code == 200:
                    return int(answer.json()["total"])
                await asyncio.sleep(0.05)


@asynccontextmanager
async def running_world(data_dir: Path, **settings: str) -> AsyncIterator[World]:
    async with FakeNanoBanana(honours_keys=False) as api:
        variables = {
            "STUDIO_PROVIDER": "nano_banana", "NANO_BANANA_BASE_URL": api.url, "NANO_BANANA_API_KEY": KEY,
            "CALL_LEASE": "3", **settings,
        }  # fmt: skip
        with await asyncio.to_thread(lambda: running_system(data_dir, **variables)) as system:
            async with client_for(system, f"user-{uuid.uuid4()}") as client, listening(system) as queues:
                yield World(system, client, await create_kit(client), api, queues)
