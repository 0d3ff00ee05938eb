"""The calls of GenerationService that are about dead letters, on the wire."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.struct_pb2 import Struct

from chassis.auth import Access, current_caller
from chassis.telemetry import current_request_id
from chassis.times import to_timestamp
from services.generation.answers import to_job
from services.generation.letters import DeadLetter, WorkItem
from services.generation.requeueing import DeadLetterService
from streamerstudio.generation.v1 import dead_letter_pb2, generation_service_pb2, generation_service_pb2_grpc, job_pb2
from streamerstudio.work.v1 import work_pb2

Context = grpc.aio.ServicerContext[Any, Any]
DEFAULT_LIMIT = 20
DEAD_LETTER_ACCESS = dict.fromkeys(("ListDeadLetters", "GetDeadLetter", "RequeueDeadLetter"), Access.SERVICE)


class DeadLetterCalls(generation_service_pb2_grpc.GenerationServiceServicer):
    """Translates; the use cases do the work."""

    def __init__(self, letters: DeadLetterService) -> None:
        self._letters = letters

    async def ListDeadLetters(
        self, request: generation_service_pb2.ListDeadLettersRequest, context: Context
    ) -> dead_letter_pb2.DeadLetterList:
        limit = request.limit if request.HasField("limit") else DEFAULT_LIMIT
        before = request.before if request.HasField("before") else None
        letters, total = await self._letters.list_dead_letters(before, limit)
        return dead_letter_pb2.DeadLetterList(dead_letters=[_to_letter(letter) for letter in letters], total=total)

    async def GetDeadLetter(
        self, request: generation_service_pb2.GetDeadLetterRequest, context: Context
    ) -> dead_letter_pb2.DeadLetterDetails:
        letter = await self._letters.get_dead_letter(request.sequence)
        details = dead_letter_pb2.DeadLetterDetails(
            dead_letter=_to_letter(letter), headers=letter.headers, data=letter.data
        )
        if letter.message is not None:
            details.message.CopyFrom(Struct())
            details.message.update(letter.message)
        return details

    async def RequeueDeadLetter(
        self, request: generation_service_pb2.RequeueDeadLetterRequest, context: Context
    ) -> job_pb2.Job:
        token = current_caller().token
        return to_job(await self._letters.requeue_dead_letter(request.sequence, token, current_request_id()))


def _to_letter(letter: DeadLetter) -> dead_letter_pb2.DeadLetter:
    return dead_letter_pb2.DeadLetter(
        sequence=letter.sequence,
        reason=letter.reason,
        consumer=letter.consumer,
        subject=letter.subject,
        deliveries=letter.deliveries,
        message_id=letter.message_id,
        request_id=letter.request_id,
        first_seen=to_timestamp(letter.first_seen),
        buried_at=to_timestamp(letter.buried_at),
        work=_to_work(letter.work) if letter.work else None,
    )


def _to_work(work: WorkItem) -> work_pb2.WorkItem:
    return work_pb2.WorkItem(
        job_id=work.job_id,
        item=work.item,
        dispatch=work.dispatch,
        user_id=work.user_id,
        request_id=work.request_id,
        finish_by=to_timestamp(work.finish_by),
    )
