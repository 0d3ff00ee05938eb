"""Hands the messages of one subject to a handler, as many at once as it has slots."""

import asyncio
import logging

from nats.aio.msg import Msg
from nats.js.api import AckPolicy, ConsumerConfig

from chassis.ending import end
from chassis.errors import Unavailable
from chassis.patience import Trouble
from chassis.queue.backoff import backoff
from chassis.queue.connection import Connection
from chassis.queue.pull import Pull
from chassis.queue.receipt import Receipt
from chassis.queue.streams import Stream, declare
from chassis.queue.work import CLEAN_UP, Terms, work

logger = logging.getLogger(__name__)

REBIND_FIRST, REBIND_MOST = 0.05, 0.5
MAX_WAITING = 4096
"""Replicas that may wait for messages at once; cannot be changed on a consumer that exists."""


class Consumer:
    """A durable consumer, bound again whenever the connection, the consumer, its leader or its stream was lost.

    It is declared beside the pulling, at the start and after each failure: a cluster that has to elect leaders may take
    several seconds to say that all is there, and hands out messages before that.
    """

    def __init__(self, connection: Connection, stream: Stream, terms: Terms, *, replicas: int) -> None:
        self._connection = connection
        self._stream = stream
        self._terms = terms
        self._replicas = replicas
        self._slots = asyncio.Semaphore(terms.concurrency)
        self._running: set[asyncio.Task[None]] = set()
        self._pump: asyncio.Task[None] | None = None
        self._declaring: asyncio.Task[None] | None = None
        self._failures = 0
        self._trouble = Trouble(logger, f"{terms.durable}: binding again")
        self._undeclared = Trouble(logger, f"{terms.durable}: not declared")

    def start(self) -> None:
        self._pump = self._pump or asyncio.create_task(self._consume(), name=f"{self._terms.durable}: consumer")

    async def stop(self, grace: float) -> None:
        """Takes no more messages; what runs may finish within `grace` seconds, and is given back after that."""
        for task in (self._pump, self._declaring):
            if task is not None:
                await end(task, patience=0.5)
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace)
            await asyncio.gather(*(end(task, patience=CLEAN_UP) for task in late))

    async def _consume(self) -> None:
        await self._connection.up()
        await self._declare()
        while True:
            await self._connection.up()
            try:
                await self._drive(await self._bind())
            except Unavailable as error:
                self._failures += 1
                self._trouble.tell(error)
            except Exception:
                self._failures += 1
                logger.exception("%s: binding again", self._terms.durable)
            if self._declaring is None or self._declaring.done():
                self._declaring = asyncio.create_task(self._declare(), name=f"{self._terms.durable}: declaring")
            await asyncio.sleep(backoff(self._failures, first=REBIND_FIRST, most=REBIND_MOST))

    async def _declare(self) -> None:
        try:
            async with self._connection.use() as live:
                await declare(live.jetstream, [self._stream], replicas=self._replicas)
                await live.jetstream.add_consumer(self._stream.name, self._config())
        except Unavailable as error:
            self._undeclared.tell(error)
        except Exception:
            logger.exception("%s: not declared", self._terms.durable)
        else:
            self._undeclared.over()

    async def _bind(self) -> Pull:
        async with self._connection.use() as live:
            pull = Pull(live.client, stream=self._stream.name, durable=self._terms.durable)
            await pull.open()
            return pull

    def _config(self) -> ConsumerConfig:
        return ConsumerConfig(
            name=self._terms.durable,
            durable_name=self._terms.durable,
            filter_subject=self._terms.subject,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self._terms.ack_wait,
            # A message past its max_deliver would lie in a work queue for ever; `work` buries it instead.
            max_deliver=-1,
            # Messages that wait after a nak count too. What bounds us is the slots: no more are ever asked for.
            max_ack_pending=-1,
            max_waiting=MAX_WAITING,
        )

    async def _drive(self, pull: Pull) -> None:
        try:
            while True:
                await self._slots.acquire()
                try:
                    message = await self._take(pull)
                except BaseException:
                    self._slots.release()
                    raise
                self._failures = 0
                self._trouble.over()
                self._begin(message)
        finally:
            for message in await pull.close():
                await self._give_back(message)

    async def _take(self, pull: Pull) -> Msg:
        async with self._connection.use():
            return await pull.next(self._terms.concurrency - len(self._running))

    def _begin(self, message: Msg) -> None:
        task = asyncio.create_task(work(self._connection, self._terms, message))
        self._running.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._slots.release()

    async def _give_back(self, message: Msg) -> None:
        try:
            await Receipt(self._connection, message.reply).again(0)
        except Unavailable as error:
            logger.debug("%s: not given back, will be delivered again: %s", self._terms.durable, error)
