"""The prompt stage of a job: PromptTask in, RenderTask or a failed Outcome out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chassis.key_colors import key_color_for
from chassis.queue import Delivery, Poison, Queue, TooLate
from chassis.queue.tasks import DEAD, is_late, pass_on, reading, what_is_left
from services.prompt.domain import AssetType
from services.prompt.orders import PromptFailure, PromptOrder, PromptRequest, WrittenPrompt
from services.prompt.usecases import Prompts
from streamerstudio.error.v1.error_reason_pb2 import ErrorReason
from streamerstudio.type.v1 import asset_type_pb2
from streamerstudio.work.v1.work_pb2 import BrandKitSnapshot, Failed, Outcome, PromptTask, RenderTask, WorkItem

CONSUMES, RENDER, OUTCOME = "work.prompt", "work.render", "work.outcome"
STAGE = "prompt"


class PromptConsumer:
    """Writes prompts for the items of jobs; doing so again changes nothing."""

    def __init__(self, prompts: Prompts, queue: Queue, clock: Callable[[], datetime]) -> None:
        self._prompts = prompts
        self._queue = queue
        self._clock = clock

    async def handle(self, delivery: Delivery) -> None:
        with reading(PromptTask, delivery) as task:
            if is_late(task.work, self._clock()):
                raise TooLate
            written = await self._prompts.write_prompt(_order(task))
            if isinstance(written, PromptFailure):
                await pass_on(self._queue, OUTCOME, _outcome(task.work, written))
            else:
                await pass_on(self._queue, RENDER, _render_task(task, written))

    async def give_up(self, delivery: Delivery, poison: Poison) -> None:
        """Ends the item of a dead message, if it can still be read which one that is."""
        task = what_is_left(PromptTask, delivery)
        if task is not None:
            failure = PromptFailure(poison.error_reason, poison.sentence, retryable=True)
            await pass_on(self._queue, OUTCOME, _outcome(task.work, failure), stage=DEAD)


def _order(task: PromptTask) -> PromptOrder:
    request = PromptRequest(
        asset_type=AssetType(asset_type_pb2.AssetType.Name(task.asset_type)),
        custom_prompt=task.custom_prompt,
        template_version=task.template_version,
    )
    return PromptOrder(task.work.user_id, task.brand_kit_id, request)


def _outcome(work: WorkItem, failure: PromptFailure) -> Outcome:
    reason = ErrorReason.Value(failure.reason)
    return Outcome(
        work=work, failed=Failed(reason=reason, stage=STAGE, retryable=failure.retryable, message=failure.message)
    )


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
        key_color=key_color_for(brand.colors()) if "key_color" in written.template.placeholders else "",
        style_upload_id=brand.style_upload_id or "",
    )
