"""Messages from one stage of a job to the next: each carries the work item that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol, Self, TypeVar

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import Invalid
from chassis.queue.delivery import REQUEST_ID, Delivery, Poison
from chassis.queue.queue import Queue
from chassis.telemetry import log_context
from chassis.times import to_micros
from chassis.validation import validate

DEAD = "dead"
"""The stage that a dead message's end is told under: should a twin of it succeed, that is told all the same."""


class WorkItem(Protocol):
    """One variation of one job on its way."""

    job_id: str
    item: int
    dispatch: int
    request_id: str

    @property
    def finish_by(self) -> Timestamp: ...


class Task(Protocol):
    """A message about a work item, with the rules of its proto."""

    @property
    def work(self) -> WorkItem: ...
    @classmethod
    def FromString(cls, s: bytes, /) -> Self: ...
    def SerializeToString(self) -> bytes: ...


T = TypeVar("T", bound=Task)


@contextmanager
def reading(kind: type[T], delivery: Delivery) -> Iterator[T]:
    """The task, complete; what is logged inside speaks of its job.

    Raises:
        Poison: it is none, or it breaks a rule: the bytes of something else may well parse, into next to nothing.
    """
    try:
        task = kind.FromString(delivery.data)
        _check(task)
    except DecodeError as error:
        raise Poison(f"This is no {kind.__name__}.") from error
    except Invalid as error:
        raise Poison(f"This {kind.__name__} cannot be used: {error.message}.") from error
    with log_context(request_id=task.work.request_id, job_id=task.work.job_id):
        yield task


def what_is_left(kind: type[T], delivery: Delivery) -> T | None:
    """A dead task of which at least the work item is complete; None: it names nobody who could be told."""
    try:
        task = kind.FromString(delivery.data)
        _check(task.work)
    except (DecodeError, Invalid):
        return None
    return task


def is_late(work: WorkItem, now: datetime) -> bool:
    """Whether its time is up."""
    # Not as a datetime: its nanoseconds may be none, and no rule of a proto can say so.
    return to_micros(now) >= work.finish_by.seconds * 1_000_000 + work.finish_by.nanos // 1000


async def pass_on(queue: Queue, subject: str, task: Task, *, stage: str | None = None) -> None:
    """Under an id of which each sending of an item has one a stage: what is published twice is stored once.

    The stage is the subject's, unless it is given. Raises Unavailable when the task is not surely stored.
    """
    work = task.work
    await queue.publish(
        subject,
        task.SerializeToString(),
        message_id=f"{work.job_id}:{work.item}:{stage or subject.rpartition('.')[2]}:{work.dispatch}",
        headers={REQUEST_ID: work.request_id},
    )


def _check(message: Any) -> None:
    validate(message)
