"""What should never be in a queue, on the real system: it is put aside or ignored, and nothing is made twice."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.times import now, to_timestamp
from streamerstudio.error.v1 import error_reason_pb2 as reasons
from streamerstudio.type.v1.asset_type_pb2 import banner
from streamerstudio.work.v1.work_pb2 import (
    BrandKitSnapshot,
    Failed,
    Outcome,
    PromptTask,
    RenderTask,
    Stored,
    StoreTask,
    WorkItem,
)
from tests.e2e.apps import Json, finished
from tests.e2e.paid_world import SUBJECTS, World, doubling, heard_of, running_world
from tests.fakes.nano_banana import fails

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        yield world


def of_no_job(**given: Any) -> WorkItem:
    soon = to_timestamp(now() + timedelta(hours=1))
    values = {"job_id": str(uuid.uuid4()), "item": 0, "dispatch": 1, "user_id": "ada", "finish_by": soon}
    return WorkItem(**{**values, **given})


def tasks_of(work: WorkItem, kit: Json) -> dict[str, PromptTask | RenderTask | StoreTask | Outcome]:
    """A message for each queue, as it should be."""
    return {
        "work.prompt": PromptTask(work=work, brand_kit_id=kit["id"], asset_type=banner),
        "work.render": RenderTask(
            work=work, asset_type=banner, prompt="a cat", brand_kit=BrandKitSnapshot(primary_colors=["#FF0055"])
        ),
        "work.store": StoreTask(work=work, asset_type=banner, render_key="none", sha256="0" * 64),
        "work.outcome": Outcome(work=work, stored=Stored(asset_id=str(uuid.uuid4()))),
    }


async def test_whatever_lies_in_the_queues_jobs_go_on_and_somebody_is_told(world: World) -> None:
    user_id = (await world.job())["user_id"]
    await world.queues.settled()
    for subject in SUBJECTS:
        for junk in (b"\xff\xff", b"", b"{}", bytes(1024 * 1024 - 200)):
            await world.queues.say(subject, junk)
        message = tasks_of(of_no_job(user_id=user_id), world.kit)[subject]
        await world.queues.say(subject, message)

    for job in [await world.job(count=2), await world.job()]:
        await world.completes(job)
    await world.queues.settled()

    put_aside = Counter(consumer for consumer, _ in await world.queues.reasons())
    # What names no job is found out by whoever has the jobs: the prompt's as a render, the store's as an outcome.
    assert put_aside == {"prompt": 4, "render": 4 + 2, "store": 4, "outcome": 4 + 2}
    for service, count in {"prompt": 4, "generation": 12, "storage": 4}.items():
        log = (world.system.settings.data_dir / "logs" / f"{service}.log").read_text()
        assert log.count("gave up") == count, service
    assert len(world.api.ledger) == await world.total() == 4


async def test_twins_of_every_message_make_and_pay_for_nothing_twice(world: World) -> None:
    async with doubling(world.queues):
        jobs = [await world.job(count=3), await world.job()]
        for job in jobs:
            await world.completes(job)

    await world.queues.settled()
    assert len(world.queues.heard) >= 4 * len(SUBJECTS)
    assert len(world.api.ledger) == await world.total() == 4
    assert await world.queues.reasons() == []


async def test_a_finished_job_is_not_moved_by_its_messages_in_any_order(world: World) -> None:
    jobs = [await world.job(count=2), await world.job()]
    done = [await world.completes(job) for job in jobs]
    await world.queues.settled()
    heard = list(world.queues.heard)

    for message in [*reversed(heard), *heard]:
        await world.queues.say(message.subject, message.data)
    await world.queues.settled()

    assert {message.subject for message in heard} == set(SUBJECTS)
    assert [apart_from_links(await finished(world.client, job["id"])) for job in jobs] == [*map(apart_from_links, done)]
    assert len(world.api.ledger) == await world.total() == 3
    assert await world.queues.reasons() == []
    await world.completes(await world.job())


async def test_messages_of_an_earlier_sending_neither_fail_nor_repeat_a_later_one(world: World) -> None:
    """The image API asks for patience, so the item is sent a second time."""
    world.api.script.append(fails(429, retry_after="6"))
    world.system.stop_part("storage")
    job = await world.job()
    store = await heard_of(world.queues, "work.store")
    later = StoreTask.FromString(store)
    assert later.work.dispatch == 2
    earlier = StoreTask()
    earlier.CopyFrom(later)
    earlier.work.dispatch = 1
    failed = Failed(reason=reasons.STORAGE_ERROR, stage="store", message="It was not saved.")

    await world.queues.say("work.outcome", Outcome(work=earlier.work, failed=failed))
    await world.queues.say("work.store", earlier)
    for message in [each for each in world.queues.heard if each.subject != "work.store"]:
        await world.queues.say(message.subject, message.data)
    world.system.start_part("storage")

    await world.completes(job)
    await world.queues.settled()
    assert len(world.api.ledger) == await world.total() == 1
    assert await world.queues.reasons() == []


async def test_the_end_of_an_item_may_come_before_its_beginning(world: World) -> None:
    """A failure that is told while the prompt still waits: what follows is void, and a retry is as good as new."""
    world.system.stop_part("prompt")
    job = await world.job()
    task = PromptTask.FromString(await heard_of(world.queues, "work.prompt"))
    failed = Failed(reason=reasons.STORAGE_ERROR, stage="store", retryable=True, message="It was not saved.")

    await world.queues.say("work.outcome", Outcome(work=task.work, failed=failed))
    ended = await finished(world.client, job["id"])
    world.system.start_part("prompt")
    await world.queues.settled()

    assert (ended["status"], ended["error_message"]) == ("failed", "It was not saved.")
    assert await finished(world.client, job["id"]) == ended
    assert (len(world.api.ledger), await world.queues.reasons()) == (0, [])
    again = (await world.client.post(f"/api/v1/jobs/{job['id']}:retry")).json()
    await world.completes(again)


def apart_from_links(job: Json) -> Json:
    """A private link is another one each time."""
    return {**job, "assets": [{**asset, "url": ""} for asset in job["assets"]]}
