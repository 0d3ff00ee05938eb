"""Time as this system keeps it: UTC, microseconds in a database, whole seconds in an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The moment so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=micros)


def to_timestamp(moment: datetime) -> Timestamp:
    """In whole seconds, as every answer has it: Swift's ISO 8601 decoder refuses fractions."""
    return Timestamp(seconds=to_micros(moment) // 1_000_000)
