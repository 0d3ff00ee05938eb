"""Storing a message in a stream."""

from collections.abc import Mapping

from chassis.queue.connection import Connection
from chassis.queue.delivery import MESSAGE_ID


async def publish(
    connection: Connection, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str]
) -> None:
    """Returns when the message is on disk, or was before under the same id.

    Raises:
        Unavailable: it may or may not be stored; publish it again.
    """
    async with connection.use() as live:
        await live.jetstream.publish(subject, payload, headers={**headers, MESSAGE_ID: message_id})
