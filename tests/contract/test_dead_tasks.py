"""What the generation service does with tasks and outcomes that it can do nothing with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.queue import Poison, TooLate, TooOften
from services.generation.consumer import Sender
from services.generation.domain import Sending
from services.generation.failures import failure
from streamerstudio.error.v1 import error_reason_pb2 as reasons
from streamerstudio.generation.v1 import generation_service_pb2 as calls
from streamerstudio.generation.v1 import job_pb2
from streamerstudio.work.v1.work_pb2 import BrandKitSnapshot, Outcome, Stored, StoreTask
from tests.generation_service import running_generation, settings
from tests.generation_stages import PAST, World, a_failed_outcome, a_render_task, a_work_item, running_world
from tests.nats import NatsServer
from tests.prompt_service import as_user
from tests.queueing import Inbox, delivered_in_vain, nobody_dies, open_queue


@pytest.fixture
async def world(tmp_path: Path, nats: NatsServer) -> AsyncIterator[World]:
    async with running_world(tmp_path, nats.url) as world:
        yield world


BAD: dict[str, tuple[str, Message | bytes, str]] = {
    "noise": ("work.render", b"\xff\xff", "This is no RenderTask."),
    "nothing": ("work.render", b"", "work: value is required"),
    "no job": ("work.render", a_render_task(a_work_item(job_id="4f")), "work.job_id: "),
    "a job in SQL": ("work.render", a_render_task(a_work_item(job_id="' OR 1=1 --\0")), "work.job_id: "),
    "no sending": ("work.render", a_render_task(a_work_item(dispatch=0)), "work.dispatch: "),
    "no time": ("work.render", a_render_task(a_work_item(finish_by=None)), "work.finish_by: value is required"),
    "a time that is none": (
        "work.render",
        a_render_task(a_work_item(finish_by=Timestamp(seconds=10**18))),
        "work.finish_by: must be",
    ),
    "half a second that is none": (
        "work.render",
        a_render_task(a_work_item(finish_by=Timestamp(seconds=4 * 10**9, nanos=-5))),
        "It names what",
    ),
    "no asset type": ("work.render", a_render_task(a_work_item(), asset_type=0), "asset_type: "),
    "a strange asset type": ("work.render", a_render_task(a_work_item(), asset_type=99), "asset_type: "),
    "no prompt": ("work.render", a_render_task(a_work_item(), prompt=""), "prompt: "),
    "a prompt no database takes": ("work.render", a_render_task(a_work_item(), prompt="a\0b"), "prompt: "),
    "no brand": ("work.render", a_render_task(a_work_item(), brand_kit=None), "brand_kit: "),
    "no colour": ("work.render", a_render_task(a_work_item(), brand_kit=BrandKitSnapshot()), "primary_colors: "),
    "another stage's": ("work.render", StoreTask(work=a_work_item(), render_key="a"), "This RenderTask cannot be used"),
    "no such job": ("work.render", a_render_task(a_work_item()), "It names what is not there: "),
    "outcome: noise": ("work.outcome", b"\xff\xff", "This is no Outcome."),
    "outcome: nothing": ("work.outcome", b"", "work: value is required"),
    "outcome: no result": ("work.outcome", Outcome(work=a_work_item()), "result: "),
    "outcome: no asset": ("work.outcome", Outcome(work=a_work_item(), stored=Stored()), "stored.asset_id: "),
    "outcome: no reason": ("work.outcome", a_failed_outcome(a_work_item(), reason=0), "failed.reason: "),
    "outcome: a strange reason": ("work.outcome", a_failed_outcome(a_work_item(), reason=999), "failed.reason: "),
    "outcome: a strange stage": ("work.outcome", a_failed_outcome(a_work_item(), stage="x"), "failed.stage: "),
    "outcome: no such job": ("work.outcome", a_failed_outcome(a_work_item()), "It names what is not there: "),
}


async def test_each_bad_message_is_put_aside_with_its_reason_and_the_next_job_goes_on(world: World) -> None:
    for subject, message, _ in BAD.values():
        await world.send(subject, message)
    task = await world.a_task()
    await world.send("work.render", a_render_task(task.work))

    assert StoreTask.FromString((await world.stores.next()).data).work == task.work
    await world.settled()
    found = await world.reasons()
    assert len(found) == len(BAD)
    for name, (_, _, part) in BAD.items():
        assert any(part in reason for reason in found), name
    assert all(reason.endswith(".") for reason in found)


@pytest.mark.parametrize("subject", ["work.render", "work.outcome"])
async def test_a_variation_that_a_job_does_not_have_is_not_there(world: World, subject: str) -> None:
    task = await world.a_task()
    task.work.item = 1

    await world.send(subject, a_render_task(task.work) if subject == "work.render" else a_failed_outcome(task.work))

    await world.settled()
    assert await world.reasons() == [
        f"It names what is not there: variation 1 of job {task.work.job_id} was not found."
    ]
    assert (await world.job(task.work.job_id)).status == job_pb2.queued


async def test_a_bad_task_fails_its_item_with_a_sentence(world: World) -> None:
    task = await world.a_task()

    await world.send("work.render", a_render_task(task.work, asset_type=99))

    await world.settled()
    job = await world.job(task.work.job_id)
    assert (job.status, job.error.reason, job.error.retryable) == (job_pb2.failed, reasons.INTERNAL, True)
    assert job.error_message == Poison.sentence


async def test_a_task_past_its_time_is_put_aside_and_its_item_fails(world: World) -> None:
    task = await world.a_task()
    task.work.finish_by.CopyFrom(PAST)

    await world.send("work.render", a_render_task(task.work))

    await world.settled()
    job = await world.job(task.work.job_id)
    assert (job.status, job.error.reason, job.error_message) == (
        job_pb2.failed, reasons.DEADLINE_EXCEEDED, TooLate.sentence,
    )  # fmt: skip
    assert await world.reasons() == ["Delivered when its time was up."]


@pytest.mark.parametrize("finish_by", [None, PAST], ids=["in time", "late"])
async def test_a_void_task_is_ignored(world: World, finish_by: Timestamp | None) -> None:
    cancelled, sent_again = await world.a_task(), await world.a_task()
    await world.jobs.CancelJob(calls.CancelJobRequest(job_id=cancelled.work.job_id), metadata=as_user("ada"))
    sent_again.work.dispatch = 7
    for task in (cancelled, sent_again):
        if finish_by is not None:
            task.work.finish_by.CopyFrom(finish_by)
        await world.send("work.render", a_render_task(task.work))

    await world.settled()

    assert await world.reasons() == []
    assert world.stores.is_empty
    assert (await world.job(sent_again.work.job_id)).status == job_pb2.queued


@pytest.mark.parametrize("broken", [{"asset_type": 99}, {"prompt": ""}], ids=str)
async def test_a_sending_that_died_does_not_fail_an_item_that_was_sent_again(
    world: World, broken: dict[str, Any]
) -> None:
    task = await world.a_task()
    task.work.dispatch = 7

    await world.send("work.render", a_render_task(task.work, **broken))

    await world.settled()
    assert len(await world.reasons()) == 1
    assert (await world.job(task.work.job_id)).status == job_pb2.queued


async def test_a_task_that_was_tried_too_often_says_so(tmp_path: Path, nats: NatsServer) -> None:
    """While no worker of ours is there, somebody else tries in vain."""
    async with open_queue(nats.url) as queue:
        prompts = Inbox()
        queue.consume("work.prompt", durable="prompt", handler=prompts, on_dead=nobody_dies, concurrency=1)
        async with running_generation(settings(tmp_path, nats.url)) as jobs:
            task = await World(jobs, queue, prompts, Inbox()).a_task()
        await queue.publish("work.render", a_render_task(task.work).SerializeToString(), message_id="1")
        await delivered_in_vain(nats.url, "work.render", "render")

        async with running_generation(settings(tmp_path, nats.url)) as jobs:
            world = World(jobs, queue, prompts, Inbox())
            await world.settled()
            job = await world.job(task.work.job_id)

        assert (job.status, job.error.reason) == (job_pb2.failed, reasons.INTERNAL)
        assert job.error_message == TooOften.sentence
        assert await world.reasons() == ["Delivered 50 times without success."]


async def test_ids_that_are_not_ours_are_nobodys_sending(nats: NatsServer) -> None:
    async with open_queue(nats.url) as queue:
        async with queue.jetstream() as jetstream:
            for message_id in ("a:²:b:1", "ключ:1:b:1", f"a:{'1' * 5000}:b:1", "a:b", "j:0:store:3"):
                await jetstream.publish("work.store", b"", headers={"Nats-Msg-Id": message_id})

        assert Sending("j", 0, 3) in await Sender(queue).under_way()


def test_whoever_finds_an_item_too_late_says_so_in_the_same_words() -> None:
    assert failure(TooLate.error_reason).message == TooLate.sentence
