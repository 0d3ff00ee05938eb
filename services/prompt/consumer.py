"""The prompt stage of a job: PromptTask in, RenderTask or a failed Outcome out."""

from __future__ import annotations

from datetime import UTC

from google.protobuf.message import DecodeError, Message

from chassis.queue import REQUEST_ID, Delivery, Poison, Queue
from chassis.telemetry import log_context
from services.prompt.domain import AssetType
from services.prompt.orders import GAVE_UP, PromptFailure, PromptOrder, PromptRequest, WrittenPrompt
from services.prompt.usecases import Prompts
from streamerstudio.error.v1.error_reason_pb2 import ErrorReason
from streamerstudio.type.v1 import asset_type_pb2
from streamerstudio.work.v1.work_pb2 import BrandKitSnapshot, Failed, Outcome, PromptTask, RenderTask, WorkItem

CONSUMES = "work.prompt"
STAGE = "prompt"


class PromptConsumer:
    """Writes prompts for the items of jobs; doing so again changes nothing."""

    def __init__(self, prompts: Prompts, queue: Queue) -> None:
        self._prompts = prompts
        self._queue = queue

    async def handle(self, delivery: Delivery) -> None:
        task = _parse(delivery)
        with log_context(request_id=task.work.request_id, job_id=task.work.job_id):
            written = await self._prompts.write_prompt(_order(task))
            if isinstance(written, PromptFailure):
                await self._fail(task.work, written)
            else:
                await self._publish("work.render", "render", task.work, _render_task(task, written))

    async def give_up(self, delivery: Delivery, reason: str) -> None:
        """Ends the item of a dead message, if it can still be read which one that is."""
        try:
            task = PromptTask.FromString(delivery.data)
        except DecodeError:
            return
        if task.work.job_id:
            await self._fail(task.work, GAVE_UP)

    async def _fail(self, work: WorkItem, failure: PromptFailure) -> None:
        failed = Failed(
            reason=ErrorReason.Value(failure.reason),
            stage=STAGE,
            retryable=failure.retryable,
            message=failure.message,
        )
        await self._publish("work.outcome", "outcome", work, Outcome(work=work, failed=failed))

    async def _publish(self, subject: str, stage: str, work: WorkItem, message: Message) -> None:
        await self._queue.publish(
            subject,
            message.SerializeToString(),
            message_id=f"{work.job_id}:{work.item}:{stage}:{work.dispatch}",
            headers={REQUEST_ID: work.request_id},
        )


def _parse(delivery: Delivery) -> PromptTask:
    """The task, complete: the bytes of something else may well parse, into next to nothing."""
    try:
        task = PromptTask.FromString(delivery.data)
    except DecodeError as error:
        raise Poison("This is no PromptTask.") from error
    work = task.work
    if not (work.job_id and work.user_id and work.HasField("finish_by") and task.brand_kit_id):
        raise Poison("This PromptTask lacks a job, a user, a time to finish by or a brand kit.")
    if task.asset_type not in asset_type_pb2.AssetType.values()[1:]:
        raise Poison(f"No asset type has the number {task.asset_type}.")
    return task


def _order(task: PromptTask) -> PromptOrder:
    request = PromptRequest(
        asset_type=AssetType(asset_type_pb2.AssetType.Name(task.asset_type)),
        custom_prompt=task.custom_prompt,
        template_version=task.template_version,
    )
    finish_by = task.work.finish_by.ToDatetime(tzinfo=UTC)
    return PromptOrder(task.work.user_id, task.brand_kit_id, request, finish_by)


def _render_task(task: PromptTask, written: WrittenPrompt) -> RenderTask:
    brand = written.brand_kit
    return RenderTask(
        work=task.work,
        asset_type=task.asset_type,
        prompt=written.text,
        words=written.words,
        brand_kit=BrandKitSnapshot(
            primary_colors=brand.primary_colors,
            accent_colors=brand.accent_colors,
            headline_font=brand.headline_font,
            body_font=brand.body_font,
            tone=brand.tone,
            style_reference=brand.style_reference,
        ),
        template_version=f"v{written.template.version}",
        template_hash=written.template.content_hash,
    )
