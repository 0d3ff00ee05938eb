"""Work as it comes and goes on the queues: from protos to use cases, and on to the next stage."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime

from chassis.queue import Delivery, Poison, Queue, TooLate
from chassis.queue.tasks import is_late, pass_on, reading, what_is_left
from services.generation.domain import AssetType, BrandKitContext, Dispatch, Render, RenderRequest, Sending
from services.generation.failures import failure
from services.generation.refusals import JobNotFound
from services.generation.rendering import Rendering, Turn
from services.generation.sources import PromptSource
from services.generation.states import Failure
from streamerstudio.error.v1 import error_reason_pb2
from streamerstudio.type.v1 import asset_type_pb2
from streamerstudio.work.v1 import work_pb2

PROMPT, RENDER, STORE, OUTCOME = "work.prompt", "work.render", "work.store", "work.outcome"
OUR_ID = re.compile(r"(?P<job>[^:]+):(?P<item>\d{1,9}):[a-z]+:(?P<dispatch>\d{1,9})", re.ASCII)


class Consumer:
    """What this service takes from the queues."""

    def __init__(self, queue: Queue, rendering: Rendering, clock: Callable[[], datetime]) -> None:
        self._queue = queue
        self._rendering = rendering
        self._clock = clock

    async def render(self, delivery: Delivery) -> None:
        """`work.render`: makes the picture and passes it on to be stored."""
        with reading(work_pb2.RenderTask, delivery) as task, _of_a_job():
            render = None
            if not is_late(task.work, self._clock()):
                render = await self._rendering.render(_to_turn(task))
            elif await self._rendering.awaits(task.work.job_id, task.work.item, task.work.dispatch):
                raise TooLate
            if render is not None:
                await pass_on(self._queue, STORE, _to_store_task(task.work, task.asset_type, render))

    async def outcome(self, delivery: Delivery) -> None:
        """`work.outcome`: an item has ended; it is never too late to hear how."""
        with reading(work_pb2.Outcome, delivery) as outcome, _of_a_job():
            work = outcome.work
            if outcome.WhichOneof("result") == "stored":
                await self._rendering.store(work.job_id, work.item, outcome.stored.asset_id)
            else:
                await self._rendering.fail(work.job_id, work.item, _to_failure(outcome.failed), work.dispatch)

    async def render_is_dead(self, delivery: Delivery, poison: Poison) -> None:
        """Ends the item of a render task that was given up."""
        task = what_is_left(work_pb2.RenderTask, delivery)
        if task is not None:
            await self._end(task.work, poison)

    async def outcome_is_dead(self, delivery: Delivery, poison: Poison) -> None:
        """Ends the item of an outcome that was given up; what was stored of it is discarded."""
        outcome = what_is_left(work_pb2.Outcome, delivery)
        if outcome is None:
            return
        await self._end(outcome.work, poison)
        if outcome.HasField("stored"):
            with suppress(Poison):  # it is in DEAD_LETTERS whole, and tells of no asset
                await self.outcome(delivery)

    async def _end(self, work: work_pb2.WorkItem, poison: Poison) -> None:
        ending = replace(failure(poison.error_reason), message=poison.sentence)
        with suppress(JobNotFound):  # it is in DEAD_LETTERS whole, and there is no job that could be told
            await self._rendering.fail(work.job_id, work.item, ending, work.dispatch)


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
        asset_type = asset_type_pb2.AssetType.Value(dispatch.asset_type.value)
        await pass_on(self._queue, STORE, _to_store_task(_to_work(dispatch), asset_type, render))

    async def _send_to_be_made(self, dispatch: Dispatch) -> None:
        task = work_pb2.PromptTask(
            work=_to_work(dispatch),
            brand_kit_id=dispatch.brand_kit_id,
            asset_type=asset_type_pb2.AssetType.Value(dispatch.asset_type.value),
            custom_prompt=dispatch.custom_prompt,
            template_version=dispatch.template_version,
        )
        await pass_on(self._queue, PROMPT, task)


@contextmanager
def _of_a_job() -> Iterator[None]:
    try:
        yield
    except JobNotFound as error:
        raise Poison(f"It names what is not there: {error.message}.") from error


def _sending(message_id: str) -> Sending | None:
    """Which one a message is of; None for a message that is not ours."""
    found = OUR_ID.fullmatch(message_id)
    return Sending(found["job"], int(found["item"]), int(found["dispatch"])) if found else None


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
        key_color=task.key_color,
    )
    source = PromptSource(task.template_version, task.template_hash) if task.template_version else None
    style = task.style_upload_id.lower() or None
    return Turn(request, task.work.dispatch, task.work.user_id, source, style)


def _to_store_task(
    work: work_pb2.WorkItem, asset_type: asset_type_pb2.AssetType.ValueType, render: Render
) -> work_pb2.StoreTask:
    return work_pb2.StoreTask(
        work=work,
        asset_type=asset_type,
        render_key=render.key,
        sha256=render.sha256,
        content_type=render.content_type,
        palette_distance=render.palette_distance,
    )


def _to_failure(failed: work_pb2.Failed) -> Failure:
    reason = error_reason_pb2.ErrorReason.Name(failed.reason)
    return Failure(reason, failed.stage, failed.retryable, failed.message)
