"""Keeps what could not be processed, with everything one needs to understand it and try again."""

from datetime import UTC, datetime

from chassis.queue.connection import Connection
from chassis.queue.delivery import REQUEST_ID, Delivery
from chassis.queue.publishing import publish

PREFIX = "dead."
LONGEST_REASON = 500


async def bury(connection: Connection, delivery: Delivery, *, consumer: str, reason: str) -> None:
    """Stores the message as a dead letter: once, however often its burial is repeated.

    Raises:
        Unavailable: it is not known to be stored.
    """
    await publish(
        connection,
        PREFIX + delivery.subject,
        delivery.data,
        message_id=f"{consumer}:{delivery.sequence}:{delivery.message_id}",
        headers={
            "Reason": reason[:LONGEST_REASON],
            "Consumer": consumer,
            "Deliveries": str(delivery.deliveries),
            "Subject": delivery.subject,
            "Message-Id": delivery.message_id,
            "First-Seen": delivery.stored_at.isoformat(),
            "Buried-At": datetime.now(UTC).isoformat(),
            REQUEST_ID: delivery.request_id,
        },
    )
