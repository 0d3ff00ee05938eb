"""What generation says of dead letters: messages that no stage could do anything with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chassis.errors import FailedPrecondition, NotFound
from services.generation.domain import Sending


@dataclass(frozen=True, slots=True)
class WorkItem(Sending):
    """The sending of an item that a message was about."""

    user_id: str
    request_id: str
    finish_by: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was put aside, and its story."""

    sequence: int
    reason: str
    """A sentence for whoever runs the system."""
    consumer: str
    """Who put it aside."""
    subject: str
    """Where it came from."""
    deliveries: int
    """How often it was delivered; 0: not known."""
    message_id: str
    request_id: str
    first_seen: datetime
    buried_at: datetime
    work: WorkItem | None
    """What it is about; None when that cannot be read."""
    headers: Mapping[str, str]
    message: Mapping[str, Any] | None
    """As JSON; None when it cannot be read."""
    data: bytes


class DeadLetterNotFound(NotFound):
    """There is no such dead letter, or no longer."""

    reason = "DEAD_LETTER_NOT_FOUND"

    def __init__(self, sequence: int) -> None:
        super().__init__(f"dead letter {sequence} was not found", metadata={"sequence": str(sequence)})


class NothingToRequeue(FailedPrecondition):
    """The letter is about no job that failed."""

    reason = "NOTHING_TO_REQUEUE"

    def __init__(self, sequence: int, why: str, **about: str) -> None:
        metadata = {"sequence": str(sequence), **about}
        super().__init__(f"dead letter {sequence} cannot be requeued: {why}", metadata=metadata)
