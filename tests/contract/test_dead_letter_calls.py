"""The calls about dead letters on the wire: what is shown, what is tried again, and every way they refuse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp

from streamerstudio.generation.v1 import dead_letter_pb2, job_pb2
from streamerstudio.generation.v1 import generation_service_pb2 as calls
from streamerstudio.work.v1.work_pb2 import PromptTask, WorkItem
from tests.generation_service import AS_SERVICE, an_order, connected, running_generation, running_studio, settings
from tests.generation_stages import World, a_failed_outcome, a_render_task, a_work_item, running_world
from tests.nats import NatsServer
from tests.prompt_service import NOBODYS, as_user, refusal
from tests.queueing import open_queue

INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
REFUSED = (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_TO_REQUEUE")
MISSING = (grpc.StatusCode.NOT_FOUND, "DEAD_LETTER_NOT_FOUND")


@pytest.fixture
async def world(tmp_path: Path, nats: NatsServer) -> AsyncIterator[World]:
    async with running_world(tmp_path, nats.url) as world:
        yield world


async def letters(world: World, **page: int) -> dead_letter_pb2.DeadLetterList:
    return await world.jobs.ListDeadLetters(calls.ListDeadLettersRequest(**page), metadata=AS_SERVICE)


async def details(world: World, sequence: int) -> dead_letter_pb2.DeadLetterDetails:
    return await world.jobs.GetDeadLetter(calls.GetDeadLetterRequest(sequence=sequence), metadata=AS_SERVICE)


def requeued(world: World, sequence: int) -> Any:
    return world.jobs.RequeueDeadLetter(calls.RequeueDeadLetterRequest(sequence=sequence), metadata=AS_SERVICE)


async def a_dead_job(world: World, **given: Any) -> WorkItem:
    """A job whose task no stage could use, and which failed of that; its dead letter is the newest."""
    task = await world.a_task(**given)
    await world.send("work.render", a_render_task(task.work, asset_type=99))
    await world.settled()
    return task.work


CALLS: dict[str, Callable[[Any], Any]] = {
    "ListDeadLetters": lambda jobs: jobs.ListDeadLetters(calls.ListDeadLettersRequest(), metadata=AS_SERVICE),
    "GetDeadLetter": lambda jobs: jobs.GetDeadLetter(calls.GetDeadLetterRequest(sequence=1), metadata=AS_SERVICE),
    "RequeueDeadLetter": lambda jobs: jobs.RequeueDeadLetter(
        calls.RequeueDeadLetterRequest(sequence=1), metadata=AS_SERVICE
    ),
}


@pytest.mark.parametrize("call", CALLS)
async def test_while_nats_is_away_each_call_says_so(tmp_path: Path, call: str) -> None:
    async with running_generation(settings(tmp_path)) as jobs:
        refused = await refusal(CALLS[call](jobs))

    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")


async def test_no_user_may_look_or_requeue(world: World) -> None:
    for call in (
        world.jobs.ListDeadLetters(calls.ListDeadLettersRequest(), metadata=as_user("ada")),
        world.jobs.GetDeadLetter(calls.GetDeadLetterRequest(sequence=1), metadata=as_user("ada")),
        world.jobs.RequeueDeadLetter(calls.RequeueDeadLetterRequest(sequence=1), metadata=as_user("ada")),
    ):
        refused = await refusal(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_ONLY")


@pytest.mark.parametrize(
    ("page", "field"), [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"before": 0}, "before")]
)
async def test_a_bad_page_names_its_field(world: World, page: dict[str, int], field: str) -> None:
    refused = await refusal(letters(world, **page))

    assert ((refused.code, refused.reason), refused.fields) == (INVALID, [field])


@pytest.mark.parametrize("sequence", [0, -1])
async def test_a_sequence_must_be_one(world: World, sequence: int) -> None:
    for call in (details(world, sequence), requeued(world, sequence)):
        refused = await refusal(call)
        assert ((refused.code, refused.reason), refused.fields) == (INVALID, ["sequence"])


async def test_what_is_not_there_is_not_found(world: World) -> None:
    for call in (details(world, 7), requeued(world, 7)):
        refused = await refusal(call)
        assert ((refused.code, refused.reason), refused.metadata) == (MISSING, {"sequence": "7"})


async def test_letters_are_listed_page_by_page_the_newest_first(world: World) -> None:
    works = [await a_dead_job(world) for _ in range(3)]

    first = await letters(world, limit=2)
    second = await letters(world, limit=2, before=first.dead_letters[-1].sequence)

    found = [*first.dead_letters, *second.dead_letters]
    assert [letter.work.job_id for letter in found] == [work.job_id for work in reversed(works)]
    assert (first.total, second.total, len(first.dead_letters)) == (3, 3, 2)
    letter = found[0]
    assert (letter.consumer, letter.subject, letter.deliveries) == ("render", "work.render", 1)
    assert letter.reason.startswith("This RenderTask cannot be used: asset_type: ")
    assert letter.first_seen.seconds <= letter.buried_at.seconds
    assert letter.first_seen.nanos == letter.buried_at.nanos == 0
    assert letter.work.user_id == "ada" and letter.work.finish_by.seconds > letter.buried_at.seconds


async def test_a_letter_is_shown_whole(world: World) -> None:
    work = await a_dead_job(world)
    [listed] = (await letters(world)).dead_letters

    shown = await details(world, listed.sequence)

    assert shown.dead_letter == listed
    assert shown.headers["Reason"] == listed.reason and shown.headers["Consumer"] == "render"
    message = MessageToDict(shown.message)
    assert (message["prompt"], message["asset_type"], message["work"]["job_id"]) == ("a cat", 99, work.job_id)
    assert a_render_task(work, asset_type=99).FromString(shown.data).prompt == "a cat"


@pytest.mark.parametrize(
    "data",
    [b"\xff\xff", a_render_task(a_work_item(finish_by=Timestamp(seconds=10**18))).SerializeToString()],
    ids=["noise", "a time that is none"],
)
async def test_what_cannot_be_read_is_shown_as_it_came(world: World, data: bytes) -> None:
    await world.send("work.render", data)
    await world.settled()

    [listed] = (await letters(world)).dead_letters
    shown = await details(world, listed.sequence)

    assert not listed.HasField("work") and not shown.HasField("message")
    assert shown.data == data


async def test_a_requeued_letter_is_a_new_job_of_the_same_owner_and_is_gone(world: World) -> None:
    work = await a_dead_job(world, count=2, custom_prompt="Finals", template_version="v1.0")
    # Of the other variation somebody else says how it ended.
    other = PromptTask.FromString((await world.prompts.next()).data).work
    await world.send("work.outcome", a_failed_outcome(other))
    await world.settled()
    [letter] = (await letters(world)).dead_letters

    job = await requeued(world, letter.sequence)

    tasks = [PromptTask.FromString((await world.prompts.next()).data) for _ in range(2)]
    assert (job.status, job.count, job.user_id) == (job_pb2.queued, 2, "ada")
    assert {task.work.job_id for task in tasks} == {job.id} != {work.job_id}
    assert {(task.custom_prompt, task.template_version) for task in tasks} == {("Finals", "v1.0")}
    assert (await world.job(work.job_id)).status == job_pb2.failed
    assert await letters(world) == dead_letter_pb2.DeadLetterList()
    assert (await refusal(requeued(world, letter.sequence))).reason == "DEAD_LETTER_NOT_FOUND"


async def test_two_letters_of_one_job_and_many_operators_make_one_new_job(world: World) -> None:
    work = await a_dead_job(world)
    for _ in range(2):
        await world.send("work.outcome", a_failed_outcome(work, stage="x"))
    await world.settled()
    sequences = [letter.sequence for letter in (await letters(world)).dead_letters]
    assert len(sequences) == 3

    answers = await asyncio.gather(
        *(requeued(world, sequence) for sequence in sequences[:2] for _ in range(10)), return_exceptions=True
    )
    last = await requeued(world, sequences[2])

    made = {answer.id for answer in answers if not isinstance(answer, BaseException)}
    assert made == {last.id}
    others = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert {error.code() for error in others} <= {grpc.StatusCode.NOT_FOUND}
    listed = await world.jobs.ListJobs(calls.ListJobsRequest(), metadata=as_user("ada"))
    assert [job.id for job in listed.jobs] == [last.id, work.job_id]


async def test_a_letter_that_names_no_job_is_not_requeued(world: World) -> None:
    missing = a_work_item()
    await world.send("work.render", b"\xff\xff")
    await world.settled()
    await world.send("work.render", a_render_task(missing))
    await world.settled()
    of_none, noise = (await letters(world)).dead_letters

    unreadable = await refusal(requeued(world, noise.sequence))
    nobodys = await refusal(requeued(world, of_none.sequence))

    assert (unreadable.code, unreadable.reason) == (nobodys.code, nobodys.reason) == REFUSED
    assert (
        unreadable.message
        == f"dead letter {noise.sequence} cannot be requeued: nothing in it says which job it is about"
    )
    assert f"job {missing.job_id} was not found" in nobodys.message
    assert nobodys.metadata == {"sequence": str(of_none.sequence), "job_id": missing.job_id}
    assert (await letters(world)).total == 2


async def test_a_letter_of_a_job_under_way_says_what_is_waited_for(world: World) -> None:
    untold, again, rest = await world.a_task(), await world.a_task(), await world.a_task(count=2)
    other = PromptTask.FromString((await world.prompts.next()).data).work
    assert other.job_id == rest.work.job_id
    bad = {"asset_type": 99}
    async with world.queue.jetstream() as jetstream:  # put aside, and told to nobody
        await jetstream.publish("dead.work.render", a_render_task(untold.work, **bad).SerializeToString())
    again.work.dispatch = 7
    await world.send("work.render", a_render_task(again.work, **bad))
    await world.settled()
    await world.send("work.render", a_render_task(rest.work, **bad))
    await world.settled()

    of_rest, of_again, of_untold = (await letters(world)).dead_letters
    refusals = [await refusal(requeued(world, each.sequence)) for each in (of_untold, of_again, of_rest)]

    assert [(each.code, each.reason) for each in refusals] == [REFUSED] * 3
    assert "has not heard yet that its message was put aside" in refusals[0].message
    assert "variation 0 was sent again since" in refusals[1].message
    assert "its other pictures are still being made" in refusals[2].message
    assert refusals[2].metadata["status"] == "processing"
    assert (await letters(world)).total == 3


async def test_a_letter_of_a_job_that_was_made_all_the_same_is_not_requeued(tmp_path: Path, nats: NatsServer) -> None:
    async with running_studio(tmp_path, nats.url) as studio:
        job = await studio.a_job_of("ada")
        done = await studio.ended("ada", job.id)
        await bury_a_task_of(nats, job.id)

        refused = await refusal(
            studio.jobs.RequeueDeadLetter(calls.RequeueDeadLetterRequest(sequence=1), metadata=AS_SERVICE)
        )

    assert done.status == job_pb2.completed
    assert (refused.code, refused.reason) == REFUSED
    assert f"job {job.id} is completed, so nothing of it is missing" in refused.message


async def test_a_letter_of_a_kit_that_is_gone_says_so_and_stays(tmp_path: Path, nats: NatsServer) -> None:
    async with running_studio(tmp_path, nats.url, PROMPT_ADDRESS="127.0.0.1:1") as studio:
        job = await studio.jobs.CreateJob(an_order(brand_kit_id=NOBODYS), metadata=as_user("ada"))
        await studio.ended("ada", job.id)
    async with running_studio(tmp_path, nats.url) as studio:
        await connected(studio.jobs)
        await bury_a_task_of(nats, job.id)

        refused = await refusal(
            studio.jobs.RequeueDeadLetter(calls.RequeueDeadLetterRequest(sequence=1), metadata=AS_SERVICE)
        )
        left = await studio.jobs.ListDeadLetters(calls.ListDeadLettersRequest(), metadata=AS_SERVICE)

    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "BRAND_KIT_NOT_FOUND")
    assert left.total == 1


async def bury_a_task_of(nats: NatsServer, job_id: str) -> None:
    async with open_queue(nats.url) as queue:
        task = a_render_task(a_work_item(job_id=job_id))
        async with queue.jetstream() as jetstream:
            await jetstream.publish("dead.work.render", task.SerializeToString())
