"""Asks a durable consumer for messages, with one request pending at a time.

nats-py's `fetch` is not used: it waits for the whole batch before it hands over the first message, its expiry races
the server's and leaves requests behind, and it cannot tell a silent server from an empty queue.
"""

import asyncio
import json
import logging

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.js.errors import APIError

from chassis.queue.connection import FAULTS

logger = logging.getLogger(__name__)

EXPIRES = 30.0
HEARTBEAT = 1.0
SILENCE = 2.5 * HEARTBEAT
"""Seconds without a message or a heartbeat after which the request is taken for lost."""

NO_MESSAGES, REQUEST_TIMEOUT, IDLE = "404", "408", "100"


class Pull:
    """One replica's share of a durable consumer."""

    def __init__(self, client: Client, *, stream: str, durable: str) -> None:
        self._client = client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = client.new_inbox()
        self._arrived: asyncio.Queue[Msg] = asyncio.Queue()
        self._subscription: Subscription | None = None
        self._requests = 0
        self._due = 0
        self._is_silent = False

    async def open(self) -> None:
        self._subscription = await self._client.subscribe(f"{self._inbox}.*", cb=self._arrived.put)

    async def next(self, free: int) -> Msg:
        """Waits for a message; never has more than `free` of them on their way.

        Raises:
            TimeoutError: the server is silent.
            APIError: the consumer is gone, or has moved.
        """
        while True:
            if self._due == 0:
                await self._request(free)
            message = await self._hear()
            status = self._status(message)
            if status is None:
                self._due -= 1
                return message
            if message.subject == self._reply:
                self._heed(status, message)

    async def close(self) -> list[Msg]:
        """Withdraws the request and returns what had arrived and nobody took."""
        try:
            if self._subscription is not None and self._client.is_connected:
                if self._is_silent:
                    await self._subscription.unsubscribe()
                else:
                    await self._subscription.drain()  # type: ignore[no-untyped-call]
        except FAULTS as error:
            logger.debug("the request went down with its connection: %r", error)
        left = [self._arrived.get_nowait() for _ in range(self._arrived.qsize())]
        return [message for message in left if self._status(message) is None]

    async def _hear(self) -> Msg:
        try:
            async with asyncio.timeout(SILENCE):
                return await self._arrived.get()
        except TimeoutError:
            # Nothing is on its way from there, and to wait for its goodbye would take longer.
            self._is_silent = True
            raise

    @property
    def _reply(self) -> str:
        return f"{self._inbox}.{self._requests}"

    async def _request(self, batch: int) -> None:
        self._requests += 1
        self._due = batch
        terms = {"batch": batch, "expires": int(EXPIRES * 1e9), "idle_heartbeat": int(HEARTBEAT * 1e9)}
        await self._client.publish(self._subject, json.dumps(terms).encode(), reply=self._reply)

    def _heed(self, status: str, message: Msg) -> None:
        if status in (NO_MESSAGES, REQUEST_TIMEOUT):
            self._due = 0
        elif status != IDLE:
            raise APIError(code=int(status), description=(message.headers or {}).get("Description"))

    def _status(self, message: Msg) -> str | None:
        # By its subject too: a message of the stream keeps its own, and may have a header of any name.
        is_ours = message.subject.startswith(self._inbox)
        return (message.headers or {}).get("Status") if is_ours else None
