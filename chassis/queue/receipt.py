"""What the queue is told about a delivery.

The answers are JetStream's plain protocol, sent over whichever connection is live: a handler that outlives a
restart of NATS still acknowledges what it did, where nats-py's `Msg.ack` would be bound to the dead connection.
"""

import json

from chassis.queue.connection import Connection

ACK_TIMEOUT = 5.0


class Receipt:
    """Answers one delivery; each answer raises Unavailable when it cannot be sent."""

    def __init__(self, connection: Connection, reply: str) -> None:
        self._connection = connection
        self._reply = reply

    async def done(self) -> None:
        """Removes the message; returns when the server confirms it."""
        async with self._connection.use() as live:
            await live.client.request(self._reply, b"+ACK", timeout=ACK_TIMEOUT)

    async def working(self) -> None:
        """Starts the wait for an acknowledgement anew."""
        async with self._connection.use() as live:
            await live.client.publish(self._reply, b"+WPI")

    async def again(self, delay: float) -> None:
        """Has the message delivered again, after so many seconds."""
        wait = f" {json.dumps({'delay': int(delay * 1e9)})}" if delay > 0 else ""
        async with self._connection.use() as live:
            await live.client.publish(self._reply, f"-NAK{wait}".encode())
