"""The stages of a job around the store stage, on a real queue."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from chassis.queue import Delivery, Queue
from chassis.renders import FileRenders
from chassis.times import now, to_timestamp
from streamerstudio.storage.v1 import storage_service_pb2 as calls
from streamerstudio.storage.v1.asset_pb2 import Asset
from streamerstudio.type.v1.asset_type_pb2 import overlay
from streamerstudio.work.v1.work_pb2 import Outcome, StoreTask, WorkItem
from tests.queueing import PATIENCE, eventually, nobody_dies, open_queue, stored
from tests.storage_service import AS_SERVICE, PICTURE, StorageService, as_user

ADA = "ada"
PAST = Timestamp(seconds=1_000_000_000)


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages before and after this one."""

    queue: Queue
    renders: FileRenders
    outcomes: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)

    def listen(self) -> None:
        self.queue.consume(
            "work.outcome", durable="outcome", handler=self.outcomes.put, on_dead=nobody_dies, concurrency=4
        )

    async def send(self, task: StoreTask | bytes) -> None:
        data = task if isinstance(task, bytes) else task.SerializeToString()
        await self.queue.publish("work.store", data, message_id=str(uuid.uuid4()))

    async def next_outcome(self) -> Outcome:
        return Outcome.FromString((await self.next_delivery()).data)

    async def next_delivery(self) -> Delivery:
        async with asyncio.timeout(PATIENCE):
            return await self.outcomes.get()

    async def settled(self) -> None:
        """Returns when all that was sent has been answered for, and the answers have arrived here."""

        async def nothing_left() -> bool:
            return await stored(self.queue) == 0

        await eventually(nothing_left)


@asynccontextmanager
async def running_stages(nats_url: str, data_dir: Path) -> AsyncIterator[Stages]:
    async with open_queue(nats_url) as queue:
        stages = Stages(queue, FileRenders(data_dir / "renders"))
        stages.listen()
        yield stages


async def a_task(
    stages: Stages, data: bytes = PICTURE, *, finish_by: Timestamp | None = None, dispatch: int = 1, **given: Any
) -> StoreTask:
    """A task for a new job, its render in place."""
    work = WorkItem(
        job_id=str(uuid.uuid4()),
        item=2,
        dispatch=dispatch,
        user_id=ADA,
        request_id="request-7",
        finish_by=finish_by or to_timestamp(now() + timedelta(hours=1)),
    )
    values: dict[str, Any] = {
        "asset_type": overlay, "render_key": f"{work.job_id}.2.png", "sha256": hashlib.sha256(data).hexdigest(),
        "content_type": "image/png",
    }  # fmt: skip
    await stages.renders.put(values["render_key"], data)
    return StoreTask(work=work, **{**values, **given})


async def got(service: StorageService, asset_id: str) -> Asset:
    return await service.stub.GetAsset(calls.GetAssetRequest(asset_id=asset_id), metadata=as_user(ADA))


async def total(service: StorageService) -> int:
    return (await service.stub.ListAssets(calls.ListAssetsRequest(), metadata=AS_SERVICE)).total
