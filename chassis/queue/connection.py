"""One connection to NATS at a time, made anew for as long as it takes.

nats-py can reconnect by itself, and this does not let it: its old subscriptions may stay silent after a server
restart (nats.py issue 504), publishes time out (354), what was buffered while away is sent late although its sender
was told it failed, and any protocol error closes it for good. A new client starts from nothing and has none of that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext

from chassis.ending import end
from chassis.errors import Unavailable
from chassis.patience import describe
from chassis.queue.address import Address
from chassis.queue.backoff import backoff

logger = logging.getLogger(__name__)

FAULTS = (nats.errors.Error, OSError)
"""What NATS being away looks like; a TimeoutError is an OSError."""
MISUSE = (nats.errors.BadSubjectError, nats.errors.BadHeaderError, nats.errors.MaxPayloadError)
"""What no amount of waiting repairs."""

RETRY_FIRST, RETRY_MOST = 0.05, 2.0
REMIND_EVERY = 10
"""Failed tries between two log lines."""
CONNECT_TIMEOUT = 2
REQUEST_TIMEOUT = 5.0
DRAIN_TIMEOUT = 5
PING_INTERVAL, MISSED_PINGS = 1, 3
"""A server that misses three pings, one a second, is gone, whatever TCP believes."""


@dataclass(frozen=True, slots=True)
class Live:
    """A connected client and the JetStream that is reached through it."""

    client: Client
    jetstream: JetStreamContext


class Connection:
    """Keeps a connection, and lends it out one exchange at a time."""

    def __init__(self, url: str, *, name: str, prepare: Callable[[], Awaitable[None]]) -> None:
        self._address = Address.parse(url)
        self._servers = deque(random.sample(self._address.servers, len(self._address.servers)))
        self._name = name
        self._prepare = prepare
        self._live: Live | None = None
        self._up = asyncio.Event()
        self._exchanges: set[asyncio.Timeout] = set()
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Returns at once; `up` says when there is a connection. `prepare` runs on every new one before that."""
        self._keeper = self._keeper or asyncio.create_task(self._keep(), name=f"{self._name}: connection")

    async def up(self) -> None:
        await self._up.wait()

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Live]:
        """The live connection for one exchange, which ends as soon as the connection does.

        Raises:
            Unavailable: there is no connection, it was lost meanwhile, or NATS refused.
        """
        live = self._live
        if live is None or not live.client.is_connected:
            raise Unavailable("The queue is not connected.")
        exchange = asyncio.timeout(None)
        self._exchanges.add(exchange)
        try:
            async with exchange:
                yield live
        except MISUSE:
            raise
        except FAULTS as error:
            raise Unavailable("The queue does not answer.") from error
        finally:
            self._exchanges.discard(exchange)

    async def close(self) -> None:
        if self._keeper is not None:
            await end(self._keeper, patience=0.5)

    async def _keep(self) -> None:
        failures = 0
        while True:
            client, lost = Client(), asyncio.Event()
            try:
                await self._open(client, lost)
                failures = 0
                await self._watch(client, lost, _server_of(client))
            except Exception as error:
                # Whatever it was, giving up would leave the service without a queue until somebody restarts it.
                failures += 1
                self._report(failures, error)
            finally:
                self._up.clear()
                self._live = None
                # One that hangs takes connections and says nothing; the next try begins with another.
                self._servers.rotate(-1)
                await _shut(client)
            await asyncio.sleep(backoff(failures, first=RETRY_FIRST, most=RETRY_MOST))

    async def _open(self, client: Client, lost: asyncio.Event) -> None:
        await self._connect(client, lost)
        self._live = Live(client, client.jetstream(timeout=REQUEST_TIMEOUT))
        await self._prepare()
        self._up.set()
        logger.info("connected to NATS at %s", _server_of(client))

    async def _connect(self, client: Client, lost: asyncio.Event) -> None:
        refusals: list[Exception] = []

        async def note(error: Exception) -> None:
            refusals.append(error)
            logger.debug("NATS: %r", error)

        async def closed() -> None:
            lost.set()
            self._end_exchanges()

        try:
            await client.connect(
                list(self._servers),
                dont_randomize=True,
                user=self._address.user,
                password=self._address.password,
                token=self._address.token,
                name=self._name,
                error_cb=note,
                closed_cb=closed,
                allow_reconnect=False,
                # With 0 or less, nats-py never returns from a refused first connection, and tells nobody.
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=CONNECT_TIMEOUT,
                drain_timeout=DRAIN_TIMEOUT,
                ping_interval=PING_INTERVAL,
                max_outstanding_pings=MISSED_PINGS,
            )
        except nats.errors.NoServersError as error:
            raise (refusals[-1] if refusals else error) from None

    async def _watch(self, client: Client, lost: asyncio.Event, server: str) -> None:
        # nats-py skips `closed_cb` when the last bytes cannot be flushed: so it is also asked, each second.
        while client.is_connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await lost.wait()
        self._end_exchanges()
        logger.warning("lost the connection to NATS at %s", server)

    def _end_exchanges(self) -> None:
        now = asyncio.get_running_loop().time()
        for exchange in self._exchanges:
            exchange.reschedule(now)
        self._exchanges.clear()

    def _report(self, failures: int, error: Exception) -> None:
        if failures % REMIND_EVERY == 1:
            unforeseen = error if not isinstance(error, (*FAULTS, Unavailable)) else None
            tries = f"try {failures}, {describe(error)}"
            logger.warning("waiting for NATS at %s: %s", self._address, tries, exc_info=unforeseen)


async def round_trip(client: Client) -> None:
    """Returns when the server has seen all that was sent before.

    That nobody listens, the server itself answers, whatever state JetStream is in. nats-py's `flush` would do, but when
    it is cancelled the late PONG stops the client from reading.
    """
    with contextlib.suppress(nats.errors.NoRespondersError):
        await client.request(client.new_inbox(), timeout=REQUEST_TIMEOUT)


def _server_of(client: Client) -> str:
    """The one of several that a client is connected to."""
    url = client.connected_url
    return f"{url.scheme}://{url.hostname}:{url.port}" if url else "nowhere"


async def _shut(client: Client) -> None:
    try:
        if client.is_connected:
            await client.drain()
        await client.close()
    except FAULTS as error:
        logger.debug("NATS did not say goodbye: %r", error)
