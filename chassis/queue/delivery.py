"""What a handler is given, and how it answers.

Returning acknowledges the message. `Again` has it delivered again, `Poison` buries it; with `Unavailable` it waits in
our hands, the handler called again and again, for some time; that and any other exception have it delivered again after
a growing delay.

    Poison        no repetition will help
    ├── TooLate   it came when its time was up
    └── TooOften  it was delivered so often without success
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from nats.aio.msg import Msg

MESSAGE_ID = "Nats-Msg-Id"
REQUEST_ID = "request-id"
"""The header that carries the id of the request a message goes back to."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of one message."""

    subject: str
    data: bytes
    headers: Mapping[str, str]
    deliveries: int
    """How often the message was delivered so far, this time included: 1 the first time."""
    sequence: int
    """The message's place in its stream."""
    stored_at: datetime

    @classmethod
    def of(cls, message: Msg) -> Delivery:
        metadata = message.metadata
        return cls(
            subject=message.subject,
            data=message.data,
            headers=dict(message.headers or {}),
            deliveries=metadata.num_delivered,
            sequence=metadata.sequence.stream,
            stored_at=metadata.timestamp,
        )

    @property
    def message_id(self) -> str:
        return self.headers.get(MESSAGE_ID, "")

    @property
    def request_id(self) -> str:
        return self.headers.get(REQUEST_ID, "")


class Again(Exception):
    """Not now: deliver it again in `delay` seconds. For short faults only, as each time counts as a delivery."""

    def __init__(self, delay: float) -> None:
        super().__init__(f"again in {delay:g} s")
        self.delay = delay


class Poison(Exception):
    """Never: no repetition will help. The reason is a sentence for whoever looks at the dead letter."""

    error_reason: ClassVar[str] = "INTERNAL"
    """What it means to whoever waits for what was asked, as a value of ErrorReason."""
    sentence: ClassVar[str] = "Something went wrong on our side, and this was put aside. Please try again."
    """The same for a person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooLate(Poison):
    """Its time was up when it was delivered."""

    error_reason = "DEADLINE_EXCEEDED"
    sentence = "This took longer than it may. Please try again."

    def __init__(self) -> None:
        super().__init__("Delivered when its time was up.")


class TooOften(Poison):
    """It was delivered as often as may be, without success."""

    sentence = "We tried this many times without success and put it aside. Please try again."

    def __init__(self, deliveries: int) -> None:
        super().__init__(f"Delivered {deliveries} times without success.")


Handler = Callable[[Delivery], Awaitable[None]]
OnDead = Callable[[Delivery, Poison], Awaitable[None]]
"""Told, with the reason, about a delivery that was given up; repeated until it returns."""
