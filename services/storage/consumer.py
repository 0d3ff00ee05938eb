"""The store stage of a job: StoreTask in, Outcome out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from chassis.queue import Delivery, Poison, Queue, TooLate
from chassis.queue.tasks import DEAD, is_late, pass_on, reading, what_is_left
from services.storage.domain import NOT_SAVED, Item, StoreFailure, StoreOrder
from services.storage.usecases.storing import Storing
from streamerstudio.error.v1.error_reason_pb2 import ErrorReason
from streamerstudio.type.v1.asset_type_pb2 import AssetType
from streamerstudio.work.v1.work_pb2 import Failed, Outcome, Stored, StoreTask, WorkItem

CONSUMES, PUBLISHES = "work.store", "work.outcome"
STAGE = "store"


class StoreConsumer:
    """Stores the renders of jobs' items; doing so again changes nothing."""

    def __init__(self, storing: Storing, queue: Queue, clock: Callable[[], datetime]) -> None:
        self._storing = storing
        self._queue = queue
        self._clock = clock

    async def handle(self, delivery: Delivery) -> None:
        """Ends the item, stored or failed; or raises Unavailable, to be tried again."""
        with reading(StoreTask, delivery) as task:
            result = await self._storing.ended_as(task.work.job_id, task.work.item)
            if result is None:
                if is_late(task.work, self._clock()):
                    raise TooLate
                result = await self._storing.store_render(_order(task))
            await pass_on(self._queue, PUBLISHES, _outcome(task.work, result))

    async def give_up(self, delivery: Delivery, poison: Poison) -> None:
        """Ends the item of a dead message, if it can still be read which one that is."""
        task = what_is_left(StoreTask, delivery)
        if task is not None:
            result = await self._ending(task.work, poison)
            await pass_on(self._queue, PUBLISHES, _outcome(task.work, result), stage=DEAD)

    async def _ending(self, work: WorkItem, poison: Poison) -> str | StoreFailure:
        if not isinstance(poison, TooLate):
            failure = StoreFailure(poison.error_reason, poison.sentence)
            # What was begun is left alone: the item may have been sent again since, and be on its way.
            return await self._storing.ended_as(work.job_id, work.item) or failure
        # The picture was made in time; it was the saving that took so long.
        return await self._storing.give_up(work.job_id, work.item, NOT_SAVED)


def _order(task: StoreTask) -> StoreOrder:
    work = task.work
    return StoreOrder(
        item=Item(work.job_id, work.item, work.user_id, AssetType.Name(task.asset_type)),
        render_key=task.render_key,
        sha256=task.sha256,
        palette_distance=task.palette_distance if task.HasField("palette_distance") else None,
    )


def _outcome(work: WorkItem, result: str | StoreFailure) -> Outcome:
    if isinstance(result, str):
        return Outcome(work=work, stored=Stored(asset_id=result))
    # Whatever went wrong, it was not the words: a new job with the same ones may succeed.
    failed = Failed(reason=ErrorReason.Value(result.reason), stage=STAGE, retryable=True, message=result.message)
    return Outcome(work=work, failed=failed)
