"""The generation service, and the stages of a job around it on a real queue, played by the test."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.queue import Queue
from chassis.times import now, to_timestamp
from streamerstudio.error.v1 import error_reason_pb2 as reasons
from streamerstudio.generation.v1 import generation_service_pb2 as calls
from streamerstudio.generation.v1.job_pb2 import JobWithAssets
from streamerstudio.type.v1.asset_type_pb2 import banner
from streamerstudio.work.v1.work_pb2 import BrandKitSnapshot, Failed, Outcome, PromptTask, RenderTask, WorkItem
from tests.generation_service import an_order, connected, running_generation, settings
from tests.prompt_service import NOBODYS, as_user
from tests.queueing import Inbox, eventually, nobody_dies, open_queue, stored

if TYPE_CHECKING:  # known to the stubs' types only
    from streamerstudio.generation.v1.generation_service_pb2_grpc import GenerationServiceAsyncStub

PAST = Timestamp(seconds=1_000_000_000)


@dataclass(frozen=True, slots=True)
class World:
    """The generation service, and the stages around it."""

    jobs: GenerationServiceAsyncStub
    queue: Queue
    prompts: Inbox
    stores: Inbox

    async def a_task(self, **given: Any) -> PromptTask:
        """A job of one variation, as its first task says it."""
        order = an_order(brand_kit_id=NOBODYS, **given)
        await self.jobs.CreateJob(order, metadata=as_user("ada"))
        return PromptTask.FromString((await self.prompts.next()).data)

    async def send(self, subject: str, message: Message | bytes) -> None:
        """Under an id that nothing had before."""
        data = message if isinstance(message, bytes) else message.SerializeToString()
        await self.queue.publish(subject, data, message_id=str(uuid.uuid4()))

    async def settled(self) -> None:
        """Returns once every message is answered for."""

        async def nothing_left() -> bool:
            return await stored(self.queue) == 0

        await eventually(nothing_left)

    async def job(self, job_id: str) -> JobWithAssets:
        return await self.jobs.GetJob(calls.GetJobRequest(job_id=job_id), metadata=as_user("ada"))

    async def reasons(self) -> list[str]:
        """Why each dead letter is one, the newest first."""
        return [letter.reason for letter in (await self.queue.dead_letters.newest(before=None, limit=99))[0]]


@asynccontextmanager
async def running_world(data_dir: Path, nats_url: str, **given: str) -> AsyncIterator[World]:
    async with open_queue(nats_url) as queue, running_generation(settings(data_dir, nats_url, **given)) as jobs:
        prompts, stores = Inbox(), Inbox()
        queue.consume("work.prompt", durable="prompt", handler=prompts, on_dead=nobody_dies, concurrency=4)
        queue.consume("work.store", durable="store", handler=stores, on_dead=nobody_dies, concurrency=4)
        await connected(jobs)
        yield World(jobs, queue, prompts, stores)


def a_work_item(**given: Any) -> WorkItem:
    """Of a job that is not there."""
    values: dict[str, Any] = {
        "job_id": str(uuid.uuid4()), "item": 0, "dispatch": 1, "user_id": "ada",
        "finish_by": to_timestamp(now() + timedelta(hours=1)),
    }  # fmt: skip
    return WorkItem(**{**values, **given})


def a_render_task(work: WorkItem, **given: Any) -> RenderTask:
    values: dict[str, Any] = {
        "asset_type": banner, "prompt": "a cat", "brand_kit": BrandKitSnapshot(primary_colors=["#FF0055"]),
    }  # fmt: skip
    return RenderTask(work=work, **{**values, **given})


def a_failed_outcome(work: WorkItem, **given: Any) -> Outcome:
    values: dict[str, Any] = {"reason": reasons.STORAGE_ERROR, "stage": "store", "message": "It was not saved."}
    return Outcome(work=work, failed=Failed(**{**values, **given}))
