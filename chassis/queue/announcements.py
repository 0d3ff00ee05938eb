"""News for whoever listens at the moment: core NATS, nothing is kept.

Whoever must not miss anything re-reads the truth when `on_reconnect` is called.
"""

import logging
from collections.abc import Callable

from nats.aio.client import Client
from nats.aio.msg import Msg

from chassis.errors import Unavailable
from chassis.queue.connection import Connection, round_trip

logger = logging.getLogger(__name__)


async def announce(connection: Connection, subject: str, payload: bytes) -> None:
    """Best effort: a missing connection is nobody's error."""
    try:
        async with connection.use() as live:
            await live.client.publish(subject, payload)
    except Unavailable as error:
        logger.debug("not announced on %s: %s", subject, error)


class Listener:
    """One subscription, made anew on every connection."""

    def __init__(self, subject: str, callback: Callable[[str, bytes], None], on_reconnect: Callable[[], None]) -> None:
        self._subject = subject
        self._callback = callback
        self._on_reconnect = on_reconnect
        self._attached_to: Client | None = None

    async def attach(self, connection: Connection) -> None:
        async with connection.use() as live:
            if self._attached_to is live.client:
                return
            self._attached_to = live.client
            await live.client.subscribe(self._subject, cb=self._receive)
            await round_trip(live.client)
        self._on_reconnect()

    async def _receive(self, message: Msg) -> None:
        try:
            self._callback(message.subject, message.data)
        except Exception:
            logger.exception("a listener on %s failed", self._subject)
