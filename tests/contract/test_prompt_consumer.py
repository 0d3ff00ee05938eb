"""The prompt stage of a job, on a real queue: what goes in, and all that can come out."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.database import open_database
from chassis.errors import Unavailable
from chassis.key_colors import key_color_for
from chassis.queue import Delivery, Poison, Queue, TooLate
from chassis.times import now, to_timestamp
from services.prompt.consumer import PromptConsumer
from services.prompt.engine import TEMPLATES, PromptEngine
from services.prompt.store import DatabaseBrandKits
from services.prompt.usecases import BrandKits, Prompts
from streamerstudio.error.v1 import error_reason_pb2 as reasons
from streamerstudio.prompt.v1 import brand_kit_service_pb2 as calls
from streamerstudio.prompt.v1.brand_kit_pb2 import BrandKit, Tone
from streamerstudio.prompt.v1.prompt_service_pb2 import PreviewPromptRequest
from streamerstudio.type.v1.asset_type_pb2 import banner, overlay
from streamerstudio.work.v1.work_pb2 import BrandKitSnapshot, Failed, Outcome, PromptTask, RenderTask, WorkItem
from tests.brand_kits import NoUploads
from tests.nats import NatsServer, start_nats
from tests.prompt_service import NOBODYS, PromptService, as_user, running_prompt_service, settings
from tests.queueing import PATIENCE, eventually, nobody_dies, open_queue, stored

ADA, EVE = "ada", "eve"
PAST = Timestamp(seconds=1_000_000_000)


@dataclass(frozen=True, slots=True)
class Stages:
    """The stages before and after this one."""

    queue: Queue
    renders: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)
    outcomes: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)

    def listen(self) -> None:
        for subject, inbox in (("work.render", self.renders), ("work.outcome", self.outcomes)):
            self.queue.consume(
                subject, durable=subject.replace(".", "-"), handler=inbox.put, on_dead=nobody_dies, concurrency=4
            )

    async def send(self, task: PromptTask | bytes) -> None:
        data = task if isinstance(task, bytes) else task.SerializeToString()
        await self.queue.publish("work.prompt", data, message_id=str(uuid.uuid4()))

    async def next_render(self) -> Delivery:
        async with asyncio.timeout(PATIENCE):
            return await self.renders.get()

    async def next_outcome(self) -> Delivery:
        async with asyncio.timeout(PATIENCE):
            return await self.outcomes.get()

    async def settled(self) -> None:
        """Returns when all that was sent has been answered for, and the answers have arrived here."""

        async def nothing_left() -> bool:
            return await stored(self.queue) == 0

        await eventually(nothing_left)


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    server = start_nats(tmp_path / "nats")
    yield server
    server.stop()


@pytest.fixture
async def service(tmp_path: Path, nats: NatsServer) -> AsyncIterator[PromptService]:
    async with running_prompt_service(settings(tmp_path, nats.url)) as service:
        yield service


@pytest.fixture
async def stages(nats: NatsServer) -> AsyncIterator[Stages]:
    async with open_queue(nats.url) as queue:
        stages = Stages(queue)
        stages.listen()
        yield stages


@pytest.fixture
async def kit(service: PromptService) -> BrandKit:
    return await service.a_kit_of(
        ADA, accent_colors=["#00E5FF"], tone=Tone.comedic, style_reference="90s anime", primary_colors=["#ABCDEF"]
    )


def a_task(brand_kit_id: str, finish_by: Timestamp | None = None, dispatch: int = 1, **given: Any) -> PromptTask:
    work = WorkItem(
        job_id="4f0c0000-0000-4000-8000-000000000001",
        item=2,
        dispatch=dispatch,
        user_id=ADA,
        request_id="request-7",
        finish_by=finish_by or to_timestamp(now() + timedelta(hours=1)),
    )
    values: dict[str, Any] = {"asset_type": overlay, "custom_prompt": "a cat\u200b", "template_version": "v1.0"}
    return PromptTask(work=work, brand_kit_id=brand_kit_id, **{**values, **given})


async def test_a_task_becomes_a_render_task(service: PromptService, stages: Stages, kit: BrandKit) -> None:
    preview = await service.prompts.PreviewPrompt(
        PreviewPromptRequest(asset_type=overlay, brand_kit_id=kit.id, custom_prompt="a cat", template_version="v1.0"),
        metadata=as_user(ADA),
    )
    task = a_task(kit.id)

    await stages.send(task)

    delivery = await stages.next_render()
    rendered = RenderTask.FromString(delivery.data)
    assert rendered == RenderTask(
        work=task.work,
        asset_type=overlay,
        prompt=preview.prompt,
        words="a cat",
        brand_kit=BrandKitSnapshot(
            primary_colors=["#ABCDEF"],
            accent_colors=["#00E5FF"],
            headline_font="Montserrat",
            body_font="Inter",
            tone="comedic",
            style_reference="90s anime",
        ),
        template_version="v1.0",
        template_hash=rendered.template_hash,
    )
    assert len(bytes.fromhex(rendered.template_hash)) == 32
    assert delivery.message_id == f"{task.work.job_id}:2:render:1"
    assert delivery.request_id == "request-7"


@pytest.mark.parametrize("version", ["", "latest"])
async def test_the_latest_version_is_said_by_its_number_once_it_was_used(
    stages: Stages, kit: BrandKit, version: str
) -> None:
    await stages.send(a_task(kit.id, asset_type=banner, template_version=version, custom_prompt=""))

    rendered = RenderTask.FromString((await stages.next_render()).data)

    template = (TEMPLATES / "banner" / "v1.1.yaml").read_bytes()
    assert (rendered.asset_type, rendered.template_version, rendered.words) == (banner, "v1.1", "")
    assert rendered.template_hash == hashlib.sha256(template).hexdigest()
    assert "#ABCDEF" in rendered.prompt


async def test_a_prompt_that_asks_for_a_key_colour_says_which_one(stages: Stages, kit: BrandKit) -> None:
    await stages.send(a_task(kit.id, template_version="v1.1"))

    rendered = RenderTask.FromString((await stages.next_render()).data)

    assert rendered.key_color == key_color_for(["#ABCDEF", "#00E5FF"])
    assert rendered.prompt.count(rendered.key_color) == 1


async def test_a_task_that_comes_again_is_passed_on_once_and_a_new_dispatch_again(
    stages: Stages, kit: BrandKit
) -> None:
    for task in (a_task(kit.id), a_task(kit.id), a_task(kit.id, dispatch=2)):
        await stages.send(task)

    await stages.settled()

    dispatches = [RenderTask.FromString((await stages.next_render()).data).work.dispatch for _ in range(2)]
    assert sorted(dispatches) == [1, 2]
    assert stages.renders.empty() and stages.outcomes.empty()


BRAND_KIT_GONE = Failed(
    reason=reasons.BRAND_KIT_NOT_FOUND,
    stage="prompt",
    retryable=False,
    message="The brand kit could not be found. Choose another one and try again.",
)


async def outcome_of(stages: Stages, task: PromptTask, stage: str = "outcome") -> Failed:
    await stages.send(task)
    delivery = await stages.next_outcome()
    outcome = Outcome.FromString(delivery.data)
    assert outcome.work == task.work
    assert delivery.message_id == f"{task.work.job_id}:2:{stage}:1"
    assert delivery.request_id == "request-7"
    assert stages.renders.empty()
    return outcome.failed


async def test_a_kit_that_was_deleted_meanwhile_fails_the_item(
    service: PromptService, stages: Stages, kit: BrandKit
) -> None:
    await service.brand_kits.DeleteBrandKit(calls.DeleteBrandKitRequest(brand_kit_id=kit.id), metadata=as_user(ADA))

    assert await outcome_of(stages, a_task(kit.id)) == BRAND_KIT_GONE


async def test_somebody_elses_kit_is_as_good_as_none(service: PromptService, stages: Stages) -> None:
    theirs = await service.a_kit_of(EVE)

    assert await outcome_of(stages, a_task(theirs.id)) == BRAND_KIT_GONE


async def test_a_template_that_is_not_there_fails_the_item(stages: Stages, kit: BrandKit) -> None:
    failed = await outcome_of(stages, a_task(kit.id, template_version="v9.9"))

    assert (failed.reason, failed.stage, failed.retryable) == (reasons.TEMPLATE_NOT_FOUND, "prompt", False)
    assert failed.message


async def test_a_task_past_its_time_is_buried_and_fails_the_item(stages: Stages, kit: BrandKit) -> None:
    failed = await outcome_of(stages, a_task(kit.id, finish_by=PAST), "dead")

    assert (failed.reason, failed.stage, failed.retryable) == (reasons.DEADLINE_EXCEEDED, "prompt", True)
    assert failed.message == TooLate.sentence
    [letter], _ = await stages.queue.dead_letters.newest(before=None, limit=9)
    assert letter.reason == "Delivered when its time was up."


@pytest.mark.parametrize("broken", [{"asset_type": 0}, {"asset_type": 99}, {"brand_kit_id": ""}], ids=str)
async def test_a_task_that_makes_no_sense_is_buried_and_fails_its_item(
    service: PromptService, stages: Stages, broken: dict[str, Any]
) -> None:
    failed = await outcome_of(stages, a_task(**{"brand_kit_id": NOBODYS, **broken}), "dead")

    assert (failed.reason, failed.stage, failed.retryable) == (reasons.INTERNAL, "prompt", True)
    assert failed.message == Poison.sentence
    [letter], _ = await stages.queue.dead_letters.newest(before=None, limit=9)
    assert next(iter(broken)) in letter.reason


@pytest.mark.parametrize("data", [b"\xff\xff", b""], ids=["no message at all", "a message without a job"])
async def test_what_names_no_job_is_buried_and_holds_nobody_up(stages: Stages, kit: BrandKit, data: bytes) -> None:
    await stages.send(data)
    await stages.send(a_task(kit.id))

    await stages.settled()

    assert (await stages.next_render()).message_id
    assert stages.outcomes.empty()
    assert await stored(stages.queue, "DEAD_LETTERS") == 1


async def test_without_its_database_it_leaves_the_task_for_later(tmp_path: Path, nats: NatsServer) -> None:
    database = await open_database(f"sqlite://{tmp_path}/closed.db", schema="prompt")
    await database.close()
    prompts = Prompts(BrandKits(DatabaseBrandKits(database), NoUploads(), now), PromptEngine.from_directory(TEMPLATES))
    task = a_task(NOBODYS).SerializeToString()
    delivery = Delivery("work.prompt", task, {}, deliveries=1, sequence=1, stored_at=datetime.now(UTC))

    async with open_queue(nats.url) as queue:
        with pytest.raises(Unavailable, match="database"):
            await PromptConsumer(prompts, queue, now).handle(delivery)

        assert await stored(queue) == 0
