"""Keeps what could not be processed, with everything one needs to understand it and try again."""

from datetime import UTC, datetime

from chassis.queue.connection import Connection
from chassis.queue.delivery import REQUEST_ID, Delivery
from chassis.queue.publishing import publish

PREFIX = "dead."
REASON, CONSUMER, DELIVERIES, SUBJECT = "Reason", "Consumer", "Deliveries", "Subject"
MESSAGE, FIRST_SEEN, BURIED_AT, CUT_FROM = "Message-Id", "First-Seen", "Buried-At", "Cut-From"
LONGEST = 500
"""Characters a header may have: what died may have been anything."""
ROOM = 8 * 1024
"""Bytes left for the headers: a server ends the connection of whoever sends it more than it takes."""


async def bury(connection: Connection, delivery: Delivery, *, consumer: str, reason: str) -> None:
    """Stores the message as a dead letter: once, however often its burial is repeated.

    Raises:
        Unavailable: it is not known to be stored.
    """
    async with connection.use() as live:
        kept = delivery.data[: live.client.max_payload - ROOM]
    headers = {
        REASON: reason,
        CONSUMER: consumer,
        DELIVERIES: str(delivery.deliveries),
        SUBJECT: delivery.subject,
        MESSAGE: delivery.message_id,
        FIRST_SEEN: delivery.stored_at.isoformat(),
        BURIED_AT: datetime.now(UTC).isoformat(),
        REQUEST_ID: delivery.request_id,
    }
    if len(kept) < len(delivery.data):
        headers[CUT_FROM] = f"{len(delivery.data)} bytes"
    # With the time, as a stream that is made anew counts from 1 again.
    message_id = f"{consumer}:{delivery.sequence}:{delivery.stored_at.isoformat()}"
    written = {name: _writable(value) for name, value in headers.items()}
    await publish(connection, PREFIX + delivery.subject, kept, message_id=message_id, headers=written)


def _writable(value: str) -> str:
    """On one line, in ASCII, and not too long."""
    return " ".join(value.split()).encode("unicode_escape").decode("ascii")[:LONGEST]
