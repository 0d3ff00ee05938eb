"""Work as it comes and goes on the queues: from protos to use cases, and on to the next stage."""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC

from google.protobuf.message import DecodeError, Message

from chassis.queue import REQUEST_ID, Delivery, Poison, Queue
from chassis.telemetry import log_context
from services.generation.domain import AssetType, BrandKitContext, Dispatch, Render, RenderRequest, Sending
from services.generation.failures import failure
from services.generation.refusals import JobNotFound
from services.generation.rendering import Rendering, Turn
from services.generation.states import Failure
from streamerstudio.error.v1 import error_reason_pb2
from streamerstudio.type.v1 import asset_type_pb2
from streamerstudio.work.v1 import work_pb2

PROMPT, RENDER, STORE, OUTCOME = "work.prompt", "work.render", "work.store", "work.outcome"


class Consumer:
    """What this service takes from the queues."""

    def __init__(self, queue: Queue, rendering: Rendering) -> None:
        self._queue = queue
        self._rendering = rendering

    async def render(self, delivery: Delivery) -> None:
        """`work.render`: makes the picture and passes it on to be stored."""
        task = work_pb2.RenderTask()
        _parse(task, delivery)
        with log_context(request_id=task.work.request_id, job_id=task.work.job_id):
            try:
                render = await self._rendering.render(_to_turn(task))
            except JobNotFound as error:
                raise Poison("it names a job that is not in the database") from error
            if render is not None:
                asset_type = AssetType(asset_type_pb2.AssetType.Name(task.asset_type))
                await _publish(self._queue, STORE, task.work, _to_store_task(task.work, asset_type, render))

    async def outcome(self, delivery: Delivery) -> None:
        """`work.outcome`: an item has ended."""
        outcome = work_pb2.Outcome()
        _parse(outcome, delivery)
        work = outcome.work
        with log_context(request_id=work.request_id, job_id=work.job_id):
            try:
                if outcome.WhichOneof("result") == "stored":
                    await self._rendering.store(work.job_id, work.item, outcome.stored.asset_id)
                else:
                    await self._rendering.fail(work.job_id, work.item, _to_failure(outcome.failed), work.dispatch)
            except JobNotFound as error:
                raise Poison("it names a job that is not in the database") from error

    async def render_is_dead(self, delivery: Delivery, reason: str) -> None:
        """Ends the item of a render task that was given up."""
        task = work_pb2.RenderTask()
        await self._end(task, delivery)

    async def outcome_is_dead(self, delivery: Delivery, reason: str) -> None:
        """Ends the item of an outcome that was given up."""
        outcome = work_pb2.Outcome()
        await self._end(outcome, delivery)

    async def _end(self, message: work_pb2.RenderTask | work_pb2.Outcome, delivery: Delivery) -> None:
        try:
            _parse(message, delivery)
            work = message.work
            await self._rendering.fail(work.job_id, work.item, failure("INTERNAL"), work.dispatch)
        except (Poison, JobNotFound):
            return  # it is in DEAD_LETTERS whole, and names no job that could be told


class Sender:
    """Puts items on their way: to be prompted for, or, when the picture is made already, to be stored."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def send(self, dispatch: Dispatch) -> None:
        """Raises Unavailable when the message is not surely stored."""
        if dispatch.render is None:
            await self._send_to_be_made(dispatch)
        else:
            await self._send_to_be_stored(dispatch, dispatch.render)

    async def under_way(self) -> Set[Sending]:
        """Every sending that has a message in the queue; raises Unavailable when the queue does not answer."""
        return {sending for message_id in await self._queue.message_ids() if (sending := _sending(message_id))}

    async def _send_to_be_stored(self, dispatch: Dispatch, render: Render) -> None:
        task = _to_store_task(_to_work(dispatch), dispatch.asset_type, render)
        await _publish(self._queue, STORE, task.work, task)

    async def _send_to_be_made(self, dispatch: Dispatch) -> None:
        task = work_pb2.PromptTask(
            work=_to_work(dispatch),
            brand_kit_id=dispatch.brand_kit_id,
            asset_type=asset_type_pb2.AssetType.Value(dispatch.asset_type.value),
            custom_prompt=dispatch.custom_prompt,
            template_version=dispatch.template_version,
        )
        await _publish(self._queue, PROMPT, task.work, task)


def _parse(message: work_pb2.RenderTask | work_pb2.Outcome, delivery: Delivery) -> None:
    try:
        message.ParseFromString(delivery.data)
    except DecodeError as error:
        raise Poison("it is not a message of this queue") from error
    if not message.work.job_id:
        raise Poison("it names no job")


async def _publish(queue: Queue, subject: str, work: work_pb2.WorkItem, message: Message) -> None:
    """Under an id of which each sending of an item has one a stage: what is published twice is stored once."""
    stage = subject.removeprefix("work.")
    await queue.publish(
        subject,
        message.SerializeToString(),
        message_id=f"{work.job_id}:{work.item}:{stage}:{work.dispatch}",
        headers={REQUEST_ID: work.request_id},
    )


def _sending(message_id: str) -> Sending | None:
    """Which one a message is of; None for a message that is not ours."""
    job_id, *rest = message_id.split(":")
    if len(rest) != 3 or not (rest[0].isdigit() and rest[2].isdigit()):
        return None
    return Sending(job_id, int(rest[0]), int(rest[2]))


def _to_work(dispatch: Dispatch) -> work_pb2.WorkItem:
    work = work_pb2.WorkItem(
        job_id=dispatch.job_id,
        item=dispatch.item,
        dispatch=dispatch.dispatch,
        user_id=dispatch.user_id,
        request_id=dispatch.request_id,
    )
    work.finish_by.FromDatetime(dispatch.finish_by)
    return work


def _to_turn(task: work_pb2.RenderTask) -> Turn:
    kit = task.brand_kit
    request = RenderRequest(
        job_id=task.work.job_id,
        item=task.work.item,
        asset_type=AssetType(asset_type_pb2.AssetType.Name(task.asset_type)),
        prompt=task.prompt,
        words=task.words,
        brand_kit=BrandKitContext(
            primary_colors=tuple(kit.primary_colors),
            accent_colors=tuple(kit.accent_colors),
            headline_font=kit.headline_font,
            body_font=kit.body_font,
            tone=kit.tone,
            style_reference=kit.style_reference,
        ),
        seed=0,
    )
    return Turn(request, task.work.dispatch, task.work.finish_by.ToDatetime(tzinfo=UTC))


def _to_store_task(work: work_pb2.WorkItem, asset_type: AssetType, render: Render) -> work_pb2.StoreTask:
    return work_pb2.StoreTask(
        work=work,
        asset_type=asset_type_pb2.AssetType.Value(asset_type.value),
        render_key=render.key,
        sha256=render.sha256,
        content_type=render.content_type,
    )


def _to_failure(failed: work_pb2.Failed) -> Failure:
    reason = error_reason_pb2.ErrorReason.Name(failed.reason)
    return Failure(reason, failed.stage, failed.retryable, failed.message)
