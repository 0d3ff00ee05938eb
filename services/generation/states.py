"""The states that jobs and items go through, and how a job stands when its items stand as they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from chassis.errors import FailedPrecondition


class JobStatus(StrEnum):
    """Where a job stands; ARCHITECTURE.md draws it."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    PARTIAL = "partial"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing follows."""
        return not VALID_TRANSITIONS[self]

    @property
    def may_be_tried_again(self) -> bool:
        """Whether it has ended, and something was not made."""
        return self in (JobStatus.FAILED, JobStatus.PARTIAL)


VALID_TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.PROCESSING}),
    JobStatus.PROCESSING: frozenset({JobStatus.COMPLETED, JobStatus.PARTIAL, JobStatus.FAILED}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.PARTIAL: frozenset(),
    JobStatus.FAILED: frozenset(),
}


class ItemState(StrEnum):
    """Where one variation of a job stands."""

    WAITING = "waiting"
    """In the outbox: committed, not on its way."""
    DISPATCHED = "dispatched"
    """On its way through the queues."""
    STORED = "stored"
    """Its asset can be read."""
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing follows."""
        return self in (ItemState.STORED, ItemState.FAILED)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a variation, or a whole job, was not made."""

    reason: str
    """A value of ErrorReason."""
    stage: str
    """`prompt`, `render` or `store`."""
    retryable: bool
    message: str
    """A sentence for a streamer."""


@dataclass(frozen=True, slots=True)
class Item:
    """One variation of a job."""

    number: int
    state: ItemState
    progress: int
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class ItemStanding:
    """How one variation of a job stands, and on which of its ways."""

    state: ItemState
    dispatch: int
    """How often it was sent; 0: never."""
    failure: Failure | None


class InvalidStateTransition(FailedPrecondition):
    """The job's state does not lead to the one asked for."""

    reason = "INVALID_STATE_TRANSITION"

    def __init__(self, job_id: str, current: JobStatus, target: JobStatus) -> None:
        super().__init__(
            f"job {job_id} is {current} and cannot become {target}",
            metadata={"job_id": job_id, "from": current.value, "to": target.value},
        )


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How a job stands when its items stand as they do."""

    status: JobStatus
    progress: int
    failure: Failure | None = None


def conclude(items: Sequence[Item]) -> Conclusion:
    """The last item decides: all stored is completed, some is partial, none is failed."""
    stored = sum(item.state is ItemState.STORED for item in items)
    failures = [item.failure for item in items if item.failure is not None]
    if stored + len(failures) < len(items):
        # 100 is said only together with the end.
        return Conclusion(JobStatus.PROCESSING, min(99, sum(item.progress for item in items) // len(items)))
    if not failures:
        return Conclusion(JobStatus.COMPLETED, 100)
    if not stored:
        return Conclusion(JobStatus.FAILED, 0, failures[0])
    return Conclusion(JobStatus.PARTIAL, 100, _partly(failures, len(items)))


def check_transition(job_id: str, current: JobStatus, target: JobStatus) -> None:
    """Raises InvalidStateTransition unless one state leads to the other."""
    if target not in VALID_TRANSITIONS[current]:
        raise InvalidStateTransition(job_id, current, target)


def _partly(failures: Sequence[Failure], count: int) -> Failure:
    first = failures[0]
    message = f"{len(failures)} of {count} pictures could not be made. {first.message}"
    return Failure(first.reason, first.stage, any(failure.retryable for failure in failures), message)
