"""The dead letters of the queue, read: what each is about, and the message itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from chassis import queue
from chassis.errors import Invalid
from chassis.times import from_micros
from chassis.validation import validate
from services.generation.letters import DeadLetter, DeadLetterNotFound, WorkItem
from streamerstudio.work.v1 import work_pb2

Task = work_pb2.PromptTask | work_pb2.RenderTask | work_pb2.StoreTask | work_pb2.Outcome
KINDS: Mapping[str, type[Task]] = {
    "work.prompt": work_pb2.PromptTask,
    "work.render": work_pb2.RenderTask,
    "work.store": work_pb2.StoreTask,
    "work.outcome": work_pb2.Outcome,
}


class LetterBox:
    """The DeadLetters port over the queue's dead letters."""

    def __init__(self, letters: queue.DeadLetters) -> None:
        self._letters = letters

    async def newest(self, before: int | None, limit: int) -> tuple[Sequence[DeadLetter], int]:
        """Newest first, and how many there are in all."""
        letters, total = await self._letters.newest(before=before, limit=limit)
        return [_read(letter) for letter in letters], total

    async def get(self, sequence: int) -> DeadLetter:
        """Raises DeadLetterNotFound."""
        try:
            return _read(await self._letters.get(sequence))
        except queue.LetterMissing as error:
            raise DeadLetterNotFound(sequence) from error

    async def remove(self, sequence: int) -> None:
        """Gone is gone, whoever took it away."""
        await self._letters.remove(sequence)


def _read(letter: queue.Letter) -> DeadLetter:
    task = _task(letter)
    return DeadLetter(
        sequence=letter.sequence,
        reason=letter.reason,
        consumer=letter.consumer,
        subject=letter.subject,
        deliveries=letter.deliveries,
        message_id=letter.message_id,
        request_id=letter.request_id,
        first_seen=letter.first_seen,
        buried_at=letter.buried_at,
        work=_work(task) if task else None,
        headers=letter.headers,
        message=_json(task) if task else None,
        data=letter.data,
    )


def _task(letter: queue.Letter) -> Task | None:
    kind = KINDS.get(letter.subject)
    try:
        return kind.FromString(letter.data) if kind else None
    except DecodeError:
        return None


def _work(task: Task) -> WorkItem | None:
    work = task.work
    try:
        validate(work)
    except Invalid:
        return None
    finish_by = from_micros(work.finish_by.seconds * 1_000_000)
    return WorkItem(work.job_id, work.item, work.dispatch, work.user_id, work.request_id, finish_by)


def _json(task: Task) -> dict[str, Any] | None:
    try:
        return json_format.MessageToDict(task, preserving_proto_field_name=True)
    except json_format.Error:  # a time that is none
        return None
