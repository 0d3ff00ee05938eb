"""The store stage when something is away: the disk, the queue, the process itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from shutil import rmtree
from types import MappingProxyType

import pytest

from chassis.database import migrate, open_database
from chassis.errors import Unavailable
from chassis.queue import Queue
from chassis.server import Role
from chassis.times import now, to_timestamp
from services.storage.consumer import StoreConsumer
from services.storage.usecases.storing import Storing
from streamerstudio.error.v1 import error_reason_pb2 as reasons
from streamerstudio.work.v1.work_pb2 import StoreTask
from tests.nats import NatsServer
from tests.queueing import eventually, stored
from tests.storage_parts import MIGRATIONS, parts_over
from tests.storage_service import StorageService, running_storage_service, settings
from tests.store_stage import ADA, Stages, a_task, got, running_stages, total


@pytest.fixture
async def service(tmp_path: Path, nats: NatsServer) -> AsyncIterator[StorageService]:
    async with running_storage_service(settings(tmp_path, nats.url)) as service:
        yield service


@pytest.fixture
async def stages(tmp_path: Path, nats: NatsServer) -> AsyncIterator[Stages]:
    async with running_stages(nats.url, tmp_path) as stages:
        yield stages


async def waits(caplog: pytest.LogCaptureFixture) -> None:
    """Returns when a task was tried and is to be tried again."""

    async def told() -> bool:
        return "store: waiting" in caplog.text

    await eventually(told)


async def test_a_task_waits_for_a_disk_that_is_away(
    service: StorageService, stages: Stages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = tmp_path / "blobs"
    blobs.rename(tmp_path / "away")
    task = await a_task(stages)

    await stages.send(task)

    await waits(caplog)
    assert stages.outcomes.empty()
    (tmp_path / "away").rename(blobs)
    assert (await stages.next_outcome()).HasField("stored")


async def test_a_disk_that_stays_away_fails_the_item_when_its_time_is_up(
    service: StorageService, stages: Stages, tmp_path: Path
) -> None:
    rmtree(tmp_path / "blobs")
    task = await a_task(stages, finish_by=to_timestamp(now() + timedelta(seconds=2)))

    await stages.send(task)

    outcome = await stages.next_outcome()
    assert outcome.failed.reason == reasons.STORAGE_ERROR
    await stages.settled()


async def test_an_item_that_was_given_up_stays_given_up(
    service: StorageService, stages: Stages, tmp_path: Path
) -> None:
    (tmp_path / "blobs" / "private").rename(tmp_path / "away")
    task = await a_task(stages, finish_by=to_timestamp(now() + timedelta(seconds=2)))
    await stages.send(task)
    await stages.next_outcome()
    (tmp_path / "away").rename(tmp_path / "blobs" / "private")
    again = await a_task(stages)
    again.work.job_id, again.work.dispatch = task.work.job_id, 2

    await stages.send(again)

    assert (await stages.next_outcome()).failed.reason == reasons.STORAGE_ERROR
    assert await total(service) == 0


async def test_a_sending_that_died_ends_nothing_of_the_next_one(
    service: StorageService, stages: Stages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = tmp_path / "blobs"
    blobs.rename(tmp_path / "away")
    alive = await a_task(stages, dispatch=2)
    await stages.send(alive)
    await waits(caplog)
    dead = StoreTask()
    dead.CopyFrom(alive)
    dead.work.dispatch, dead.asset_type = 1, 99  # type: ignore[assignment]

    await stages.send(dead)

    outcome = await stages.next_outcome()
    assert (outcome.work.dispatch, outcome.failed.reason) == (1, reasons.INTERNAL)
    (tmp_path / "away").rename(blobs)
    outcome = await stages.next_outcome()
    assert outcome.work.dispatch == 2 and outcome.HasField("stored")


class LosingQueue(Queue):
    """A queue whose first message does not get through."""

    has_lost = False

    async def publish(
        self, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        if not self.has_lost:
            self.has_lost = True
            raise Unavailable("The queue does not answer.")
        await super().publish(subject, payload, message_id=message_id, headers=headers)


async def test_an_outcome_that_could_not_be_told_is_told_when_the_task_comes_again(
    tmp_path: Path, nats: NatsServer, stages: Stages
) -> None:
    database = await open_database(f"sqlite://{tmp_path}/storage.db", schema="storage")
    await migrate(database, MIGRATIONS)
    storage = parts_over(database, tmp_path / "blobs")
    queue = LosingQueue(nats.url, name="losing")
    consumer = StoreConsumer(Storing(storage.store, stages.renders, storage.keeper), queue, now)
    queue.consume("work.store", durable="store", handler=consumer.handle, on_dead=consumer.give_up, concurrency=4)
    await queue.start()
    task = await a_task(stages)

    await stages.send(task)

    outcome = await stages.next_outcome()
    asset = await storage.store.of_item(task.work.job_id, 2)
    assert queue.has_lost
    assert asset is not None
    assert outcome.stored.asset_id == asset.id
    await queue.close(grace=1.0)
    await database.close()


async def test_a_worker_stores_and_answers_no_calls(tmp_path: Path, nats: NatsServer, stages: Stages) -> None:
    async with running_storage_service(settings(tmp_path, nats.url), Role.WORKER):
        await stages.send(await a_task(stages))

        assert (await stages.next_outcome()).HasField("stored")


async def test_a_server_leaves_the_work_to_workers(tmp_path: Path, nats: NatsServer, stages: Stages) -> None:
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(running_storage_service(settings(tmp_path, nats.url), Role.SERVER))
        await stages.send(await a_task(stages))
        await service.an_asset_of(ADA)

        assert await stored(stages.queue) == 1
    async with running_storage_service(settings(tmp_path, nats.url), Role.WORKER):
        assert (await stages.next_outcome()).HasField("stored")


async def test_what_was_stored_before_a_restart_is_told_after_it(
    tmp_path: Path, nats: NatsServer, stages: Stages
) -> None:
    task = await a_task(stages)
    async with running_storage_service(settings(tmp_path, nats.url)) as service:
        uploaded = await service.an_asset_of(ADA, job_id=task.work.job_id, item=2)
    await stages.send(task)

    async with running_storage_service(settings(tmp_path, nats.url)) as service:
        outcome = await stages.next_outcome()
        assert outcome.stored.asset_id == uploaded.id
        assert (await got(service, uploaded.id)).id == uploaded.id
