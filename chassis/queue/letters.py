"""Reads the dead letters, and takes away those that are dealt with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from nats.js.api import RawStreamMsg
from nats.js.errors import APIError, NotFoundError

from chassis.queue import dead_letters
from chassis.queue.connection import REQUEST_TIMEOUT, Connection, Live
from chassis.queue.delivery import REQUEST_ID


class LetterMissing(Exception):
    """There is no such dead letter, or no longer."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that was put aside, and its story."""

    sequence: int
    """Its place among the dead letters: grows, and is never given again."""
    data: bytes
    """The message as it came, or its beginning when it was too large to be kept."""
    headers: Mapping[str, str]
    subject: str
    """Where it came from."""
    reason: str
    consumer: str
    deliveries: int
    """How often it was delivered; 0: not known."""
    message_id: str
    request_id: str
    first_seen: datetime
    """When it was stored where it came from; when it was buried, if that is not known."""
    buried_at: datetime


class DeadLetters:
    """The dead letters of a queue. Every method raises Unavailable when JetStream does not answer."""

    def __init__(self, connection: Connection, stream: str) -> None:
        self._connection = connection
        self._stream = stream

    async def newest(self, *, before: int | None, limit: int) -> tuple[Sequence[Letter], int]:
        """The newest ones with a sequence below `before`, newest first; and how many there are in all."""
        async with self._connection.use() as live:
            state = await self._state(live)
            wanted = islice(_sequences(state, before), limit)
            found = await asyncio.gather(*(self._find(live, sequence) for sequence in wanted))
        return [letter for letter in found if letter is not None], int(state["messages"])

    async def get(self, sequence: int) -> Letter:
        """Raises LetterMissing."""
        async with self._connection.use() as live:
            letter = await self._find(live, sequence)
        if letter is None:
            raise LetterMissing
        return letter

    async def remove(self, sequence: int) -> None:
        """For good; succeeds when it is gone already."""
        async with self._connection.use() as live:
            try:
                await live.jetstream.delete_msg(self._stream, sequence)
            except APIError:
                # A cluster has other words for what is not there than a single server.
                if await self._find(live, sequence) is not None:
                    raise

    async def _state(self, live: Live) -> dict[str, Any]:
        """With the gaps, which nats-py does not ask for."""
        asked = json.dumps({"deleted_details": True}).encode()
        subject = f"$JS.API.STREAM.INFO.{self._stream}"
        answer = json.loads((await live.client.request(subject, asked, timeout=REQUEST_TIMEOUT)).data)
        if "error" in answer:
            APIError.from_error(answer["error"])
        state: dict[str, Any] = answer["state"]
        return state

    async def _find(self, live: Live, sequence: int) -> Letter | None:
        try:
            return _letter(await live.jetstream.get_msg(self._stream, sequence))
        except NotFoundError:
            return None


def _sequences(state: Mapping[str, Any], before: int | None) -> Iterator[int]:
    """Those that are there, from the newest on."""
    gone = set(state.get("deleted") or ())
    newest = state["last_seq"] if before is None else min(state["last_seq"], before - 1)
    return (sequence for sequence in range(newest, state["first_seq"] - 1, -1) if sequence not in gone)


def _letter(message: RawStreamMsg) -> Letter:
    """From headers that we wrote, or that somebody else did."""
    assert message.seq is not None and message.subject is not None and message.time is not None
    headers = {name: str(value) for name, value in (message.headers or {}).items()}
    buried_at = _moment(headers.get(dead_letters.BURIED_AT), message.time)
    deliveries = headers.get(dead_letters.DELIVERIES, "")
    return Letter(
        sequence=message.seq,
        data=message.data or b"",
        headers=headers,
        subject=headers.get(dead_letters.SUBJECT, message.subject.removeprefix(dead_letters.PREFIX)),
        reason=headers.get(dead_letters.REASON, ""),
        consumer=headers.get(dead_letters.CONSUMER, ""),
        deliveries=int(deliveries) if deliveries.isdecimal() and len(deliveries) < 10 else 0,
        message_id=headers.get(dead_letters.MESSAGE, ""),
        request_id=headers.get(REQUEST_ID, ""),
        first_seen=_moment(headers.get(dead_letters.FIRST_SEEN), buried_at),
        buried_at=buried_at,
    )


def _moment(text: str | None, otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(text or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return otherwise
