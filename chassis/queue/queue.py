"""The queue as a service sees it."""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from nats.js import JetStreamContext

from chassis.ending import end
from chassis.errors import Unavailable
from chassis.patience import Trouble, patiently
from chassis.queue import announcements, publishing
from chassis.queue.announcements import Listener
from chassis.queue.connection import REQUEST_TIMEOUT, Connection
from chassis.queue.consumer import Consumer
from chassis.queue.delivery import Handler, OnDead
from chassis.queue.leftovers import sweep
from chassis.queue.letters import DeadLetters
from chassis.queue.listing import message_ids
from chassis.queue.streams import DEAD_LETTERS, WORK, Stream, declare
from chassis.queue.work import PATIENCE, Terms

logger = logging.getLogger(__name__)

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
PING_TIMEOUT = 2.0
REFUSAL_COUNTS = 15.0
"""Seconds for which a message that was not stored tells that none would be."""
GRACE = 20.0
FIRST_PATIENCE = 1.0
"""Seconds the streams may take to be declared for the first time; twice as long after each failure."""


class Queue:
    """Work that is shared out, what of it died, and announcements; one per process and event loop."""

    def __init__(
        self, url: str, *, name: str, replicas: int = 1, work: Stream = WORK, dead_letters: Stream = DEAD_LETTERS
    ) -> None:
        self.replicas = replicas
        """Servers of the cluster that keep a copy of each message."""
        self._work = work
        self._dead_letters = dead_letters
        self._connection = Connection(url, name=name, prepare=self._prepare)
        self.dead_letters = DeadLetters(self._connection, dead_letters.name)
        """What could not be processed."""
        self._consumers: list[Consumer] = []
        self._listeners: list[Listener] = []
        self._refused_at = -math.inf
        self._started = self._declared = False
        self._patience = FIRST_PATIENCE
        self._declaring: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Returns at once; connects in the background, for as long as that takes."""
        self._started = True
        self._connection.start()
        for consumer in self._consumers:
            consumer.start()

    async def ready(self, timeout: float = 10.0) -> None:
        """Waits for a connection and its streams; raises Unavailable when there is none in time."""
        try:
            async with asyncio.timeout(timeout):
                await self._connection.up()
        except TimeoutError:
            raise Unavailable("The queue is not connected.") from None

    async def ping(self) -> None:
        """Raises Unavailable unless JetStream answers, and stores: on a full disk it answers all the same."""
        if time.monotonic() - self._refused_at < REFUSAL_COUNTS:
            raise Unavailable("The queue does not store messages.")
        async with self.jetstream() as jetstream, asyncio.timeout(PING_TIMEOUT):
            await jetstream.account_info()

    async def drain(self, grace: float = GRACE) -> None:
        """Stops fetching, lets handlers finish within `grace` seconds, gives back the rest; one may still publish."""
        await asyncio.gather(*(consumer.stop(grace) for consumer in self._consumers))

    async def close(self, grace: float = GRACE) -> None:
        """Drains, and disconnects."""
        await self.drain(grace)
        if self._declaring is not None:
            await end(self._declaring, patience=0.5)
        await self._connection.close()

    async def publish(
        self, subject: str, payload: bytes, *, message_id: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        """Returns when the message is on disk. A repeated id is stored once, and counts as success.

        Raises:
            Unavailable: it may or may not be stored; nothing is sent later on.
        """
        try:
            await publishing.publish(self._connection, subject, payload, message_id=message_id, headers=headers)
        except Unavailable:
            self._refused_at = time.monotonic()
            raise
        self._refused_at = -math.inf

    async def message_ids(self) -> set[str]:
        """Ids of all messages that wait or are being worked on; those that are stored meanwhile are among them.

        Raises:
            Unavailable: the queue does not answer.
        """
        async with self.jetstream() as jetstream:
            return await message_ids(jetstream, self._work.name)

    async def sweep(self) -> int:
        """Removes work that is done and was not removed; answers how much.

        Raises:
            Unavailable: the queue does not answer.
        """
        async with self.jetstream() as jetstream:
            return await sweep(jetstream, self._work.name)

    def consume(
        self,
        subject: str,
        *,
        durable: str,
        handler: Handler,
        on_dead: OnDead,
        concurrency: int,
        ack_wait: float = 6.0,
        max_work: float = 300.0,
        max_deliveries: int = 50,
        patience: float = PATIENCE,
    ) -> None:
        """Has the handler called for each message on the subject; `Terms` says what the numbers mean."""
        terms = Terms(subject, durable, handler, on_dead, concurrency, ack_wait, max_work, max_deliveries, patience)
        consumer = Consumer(self._connection, self._work, terms, replicas=self.replicas)
        self._consumers.append(consumer)
        if self._started:
            consumer.start()

    async def announce(self, subject: str, payload: bytes) -> None:
        """Tells whoever listens right now; never raises for want of a connection."""
        await announcements.announce(self._connection, subject, payload)

    async def listen(
        self, subject: str, callback: Callable[[str, bytes], None], on_reconnect: Callable[[], None]
    ) -> None:
        """Calls back for each announcement, and `on_reconnect` each time listening (re)starts.

        Whatever was announced before an `on_reconnect` may have been missed.
        """
        listener = Listener(subject, callback, on_reconnect)
        self._listeners.append(listener)
        try:
            await listener.attach(self._connection)
        except Unavailable as error:
            logger.debug("listening on %s starts with the next connection: %s", subject, error)

    @asynccontextmanager
    async def jetstream(self) -> AsyncIterator[JetStreamContext]:
        """JetStream for one exchange; raises Unavailable when it cannot be had, or is lost meanwhile."""
        async with self._connection.use() as live:
            yield live.jetstream

    async def _prepare(self) -> None:
        self._refused_at = -math.inf
        for listener in self._listeners:
            await listener.attach(self._connection)
        if not self._declared:
            await self._declare_patiently()
            self._declared = True
        elif self._declaring is None or self._declaring.done():
            # For a server that has lost its data. A cluster that elects a leader cannot say; meanwhile work goes on.
            declaring = patiently(self._declare, Trouble(logger, "the streams are not declared again"))
            self._declaring = asyncio.create_task(declaring, name="declaring streams")

    async def _declare_patiently(self) -> None:
        """For the first time. A cluster that is just starting may never answer what it is asked too early."""
        async with self.jetstream(), asyncio.timeout(self._patience):
            self._patience = min(2 * self._patience, REQUEST_TIMEOUT)
            await self._declare()

    async def _declare(self) -> None:
        async with self.jetstream() as jetstream:
            await declare(jetstream, [self._work, self._dead_letters], replicas=self.replicas)
