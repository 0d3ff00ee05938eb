"""The streams the system lives in, and how they come to be."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import BadRequestError

NAME_IN_USE = 10058
"""JetStream's code for a stream of that name with another configuration."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as this system wants it: on disk, without a limit on the number of messages."""

    name: str
    subjects: tuple[str, ...]
    retention: RetentionPolicy
    duplicate_window: timedelta
    """How long a repeated message id is answered with success and stored only once."""
    max_age: timedelta | None = None


WORK = Stream(
    name="WORK",
    subjects=("work.prompt", "work.render", "work.store", "work.outcome"),
    retention=RetentionPolicy.WORK_QUEUE,
    duplicate_window=timedelta(minutes=2),
)

DEAD_LETTERS = Stream(
    name="DEAD_LETTERS",
    subjects=("dead.>",),
    # A work queue allows one consumer per subject and hides its messages from everybody else.
    retention=RetentionPolicy.LIMITS,
    # Dead letters are rare, and a burial that fails half-way is repeated for as long as its cause lasts.
    duplicate_window=timedelta(days=30),
    max_age=timedelta(days=30),
)


async def declare(jetstream: JetStreamContext, streams: Iterable[Stream], *, replicas: int) -> None:
    """Makes sure the streams exist as described here."""
    for stream in streams:
        config = _config(stream, replicas)
        try:
            await jetstream.add_stream(config)
        except BadRequestError as error:
            if error.err_code != NAME_IN_USE:
                raise
            await jetstream.update_stream(config)


def _config(stream: Stream, replicas: int) -> StreamConfig:
    return StreamConfig(
        name=stream.name,
        subjects=list(stream.subjects),
        retention=stream.retention,
        # With discard old, a stream that is full drops work nobody has done yet.
        discard=DiscardPolicy.NEW if stream.retention is RetentionPolicy.WORK_QUEUE else DiscardPolicy.OLD,
        storage=StorageType.FILE,
        num_replicas=replicas,
        duplicate_window=stream.duplicate_window.total_seconds(),
        max_age=stream.max_age.total_seconds() if stream.max_age else None,
    )
