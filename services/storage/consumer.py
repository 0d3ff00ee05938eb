"""The store stage of a job: StoreTask in, Outcome out."""

from __future__ import annotations

from datetime import UTC

from google.protobuf.message import DecodeError

from chassis.queue import REQUEST_ID, Delivery, Poison, Queue
from chassis.telemetry import log_context
from services.storage.domain import GAVE_UP, Item, StoreFailure, StoreOrder
from services.storage.usecases.storing import Storing
from streamerstudio.error.v1.error_reason_pb2 import ErrorReason
from streamerstudio.type.v1.asset_type_pb2 import AssetType
from streamerstudio.work.v1.work_pb2 import Failed, Outcome, Stored, StoreTask, WorkItem

CONSUMES, PUBLISHES = "work.store", "work.outcome"
STAGE = "store"


class StoreConsumer:
    """Stores the renders of jobs' items; doing so again changes nothing."""

    def __init__(self, storing: Storing, queue: Queue) -> None:
        self._storing = storing
        self._queue = queue

    async def handle(self, delivery: Delivery) -> None:
        """Ends the item, stored or failed; or raises Unavailable, to be tried again."""
        task = _parse(delivery)
        with log_context(request_id=task.work.request_id, job_id=task.work.job_id):
            result = await self._storing.store_render(_order(task), is_first_try=delivery.deliveries == 1)
            await self._publish(task.work, result)

    async def give_up(self, delivery: Delivery, reason: str) -> None:
        """Ends the item of a dead message, if it can still be read which one that is."""
        try:
            work = StoreTask.FromString(delivery.data).work
        except DecodeError:
            return  # it is in DEAD_LETTERS whole, and names no job that could be told
        if work.job_id:
            with log_context(request_id=work.request_id, job_id=work.job_id):
                await self._publish(work, await self._storing.give_up(work.job_id, work.item, GAVE_UP))

    async def _publish(self, work: WorkItem, result: str | StoreFailure) -> None:
        await self._queue.publish(
            PUBLISHES,
            _outcome(work, result).SerializeToString(),
            message_id=f"{work.job_id}:{work.item}:outcome:{work.dispatch}",
            headers={REQUEST_ID: work.request_id},
        )


def _parse(delivery: Delivery) -> StoreTask:
    """The task, complete: the bytes of something else may well parse, into next to nothing."""
    try:
        task = StoreTask.FromString(delivery.data)
    except DecodeError as error:
        raise Poison("This is no StoreTask.") from error
    work = task.work
    if not (work.job_id and work.user_id and work.HasField("finish_by") and task.render_key and task.sha256):
        raise Poison("This StoreTask lacks a job, a user, a time to finish by, a render or its hash.")
    if task.asset_type not in AssetType.values()[1:]:
        raise Poison(f"No asset type has the number {task.asset_type}.")
    return task


def _order(task: StoreTask) -> StoreOrder:
    work = task.work
    return StoreOrder(
        item=Item(work.job_id, work.item, work.user_id, AssetType.Name(task.asset_type)),
        render_key=task.render_key,
        sha256=task.sha256,
        finish_by=work.finish_by.ToDatetime(tzinfo=UTC),
    )


def _outcome(work: WorkItem, result: str | StoreFailure) -> Outcome:
    if isinstance(result, str):
        return Outcome(work=work, stored=Stored(asset_id=result))
    # Whatever went wrong, it was not the words: a new job with the same ones may succeed.
    failed = Failed(reason=ErrorReason.Value(result.reason), stage=STAGE, retryable=True, message=result.message)
    return Outcome(work=work, failed=failed)
