"""The store stage of a job, on a real queue: what goes in, and all that can come out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.queue import Poison, TooOften
from services.storage.domain import NOT_SAVED
from streamerstudio.error.v1 import error_reason_pb2 as reasons
from streamerstudio.storage.v1 import storage_service_pb2 as calls
from streamerstudio.type.v1.asset_type_pb2 import overlay
from streamerstudio.work.v1.work_pb2 import Outcome, StoreTask
from tests.nats import NatsServer
from tests.pictures import a_picture
from tests.queueing import delivered_in_vain, stored
from tests.storage_service import PICTURE, StorageService, as_user, running_storage_service, settings
from tests.store_stage import ADA, PAST, Stages, a_task, got, running_stages, total


@pytest.fixture
async def service(tmp_path: Path, nats: NatsServer) -> AsyncIterator[StorageService]:
    async with running_storage_service(settings(tmp_path, nats.url)) as service:
        yield service


@pytest.fixture
async def stages(tmp_path: Path, nats: NatsServer) -> AsyncIterator[Stages]:
    async with running_stages(nats.url, tmp_path) as stages:
        yield stages


async def test_a_render_becomes_an_asset_that_can_be_read(service: StorageService, stages: Stages) -> None:
    task = await a_task(stages)

    await stages.send(task)

    delivery = await stages.next_delivery()
    outcome = Outcome.FromString(delivery.data)
    assert outcome.work == task.work
    assert delivery.message_id == f"{task.work.job_id}:2:outcome:1"
    assert delivery.request_id == "request-7"
    asset = await got(service, outcome.stored.asset_id)
    assert (asset.job_id, asset.user_id, asset.asset_type) == (task.work.job_id, ADA, overlay)
    assert (asset.width, asset.height, asset.file_size) == (1280, 720, len(PICTURE))
    assert (await service.file(asset.url)).data == PICTURE
    await stages.settled()


async def test_a_task_that_comes_again_says_the_same_and_needs_no_render(
    service: StorageService, stages: Stages
) -> None:
    task = await a_task(stages)
    await stages.send(task)
    first = await stages.next_outcome()
    await stages.renders.delete(task.render_key)
    task.work.dispatch = 2
    task.work.finish_by.CopyFrom(PAST)

    await stages.send(task)

    again = await stages.next_delivery()
    assert Outcome.FromString(again.data).stored == first.stored
    assert again.message_id == f"{task.work.job_id}:2:outcome:2"
    assert await total(service) == 1


async def test_an_upload_and_a_task_for_one_item_are_one_asset(service: StorageService, stages: Stages) -> None:
    task = await a_task(stages)
    uploaded = await service.an_asset_of(ADA, job_id=task.work.job_id, item=2)

    await stages.send(task)

    assert (await stages.next_outcome()).stored.asset_id == uploaded.id


async def test_an_asset_its_owner_deleted_does_not_come_back(service: StorageService, stages: Stages) -> None:
    task = await a_task(stages)
    await stages.send(task)
    asset_id = (await stages.next_outcome()).stored.asset_id
    await service.stub.DeleteAsset(calls.DeleteAssetRequest(asset_id=asset_id), metadata=as_user(ADA))
    task.work.dispatch = 2

    await stages.send(task)

    assert (await stages.next_outcome()).stored.asset_id == asset_id
    assert await total(service) == 0


@pytest.mark.parametrize(
    ("data", "given", "reason"),
    [
        (b"no picture", {}, reasons.INVALID_IMAGE),
        (PICTURE[:-1], {}, reasons.INVALID_IMAGE),
        (a_picture(kind="GIF", mode="P"), {}, reasons.INVALID_IMAGE),
        (PICTURE, {"sha256": "0" * 64}, reasons.STORAGE_ERROR),
        (PICTURE, {"render_key": "lost.png"}, reasons.STORAGE_ERROR),
    ],
    ids=["no picture", "half a picture", "a gif", "other bytes", "a lost render"],
)
async def test_what_cannot_be_stored_fails_with_a_sentence(
    service: StorageService, stages: Stages, data: bytes, given: dict[str, Any], reason: reasons.ErrorReason.ValueType
) -> None:
    task = await a_task(stages, data, **given)

    await stages.send(task)

    outcome = await stages.next_outcome()
    assert outcome.work == task.work
    assert (outcome.failed.reason, outcome.failed.stage, outcome.failed.retryable) == (reason, "store", True)
    assert outcome.failed.message.endswith(". Please try again.")
    assert await total(service) == 0
    await stages.settled()
    assert await stored(stages.queue, "DEAD_LETTERS") == 0


async def test_a_task_past_its_time_is_buried_and_fails_its_item(service: StorageService, stages: Stages) -> None:
    task = await a_task(stages, finish_by=PAST)

    await stages.send(task)

    delivery = await stages.next_delivery()
    outcome = Outcome.FromString(delivery.data)
    assert delivery.message_id == f"{task.work.job_id}:2:dead:1"
    assert (outcome.work, outcome.failed.reason) == (task.work, reasons.STORAGE_ERROR)
    assert (outcome.failed.stage, outcome.failed.message) == ("store", NOT_SAVED.message)
    assert await total(service) == 0
    [letter], _ = await stages.queue.dead_letters.newest(before=None, limit=9)
    assert letter.reason == "Delivered when its time was up."


async def test_a_task_that_was_tried_too_often_is_buried_and_fails_its_item(
    tmp_path: Path, nats: NatsServer, stages: Stages
) -> None:
    task = await a_task(stages)
    await stages.send(task)
    await delivered_in_vain(nats.url, "work.store", "store")

    async with running_storage_service(settings(tmp_path, nats.url)):
        outcome = await stages.next_outcome()

    assert (outcome.work, outcome.failed.reason) == (task.work, reasons.INTERNAL)
    assert outcome.failed.message == TooOften.sentence
    [letter], _ = await stages.queue.dead_letters.newest(before=None, limit=9)
    assert letter.reason == "Delivered 50 times without success." and letter.deliveries > 50


@pytest.mark.parametrize(
    "message",
    [b"\xff\xff", b"", StoreTask(render_key="a", sha256="b").SerializeToString()],
    ids=["noise", "nothing", "no job"],
)
async def test_what_is_no_task_is_buried_and_holds_nothing_up(
    service: StorageService, stages: Stages, message: bytes
) -> None:
    await stages.send(message)
    await stages.send(await a_task(stages))

    assert (await stages.next_outcome()).HasField("stored")
    await stages.settled()
    assert await stored(stages.queue, "DEAD_LETTERS") == 1


async def test_a_task_that_is_no_good_fails_its_item_so_that_no_job_waits_for_ever(
    service: StorageService, stages: Stages
) -> None:
    task = await a_task(stages, asset_type=99)

    await stages.send(task)

    outcome = await stages.next_outcome()
    assert (outcome.work, outcome.failed.reason) == (task.work, reasons.INTERNAL)
    assert outcome.failed.message == Poison.sentence
    await stages.settled()


async def test_a_bad_task_for_an_item_that_is_stored_says_so(service: StorageService, stages: Stages) -> None:
    task = await a_task(stages)
    await stages.send(task)
    first = await stages.next_outcome()
    task.asset_type = 99  # type: ignore[assignment]

    await stages.send(task)

    assert (await stages.next_outcome()).stored == first.stored
