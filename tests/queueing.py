"""What tests of the queue, and of what stands on it, have in common."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from chassis.errors import Unavailable
from chassis.queue import Again, Delivery, Poison, Queue

PATIENCE = 20.0
"""Seconds after which what should happen counts as not happening; a test that passes never waits so long."""


@asynccontextmanager
async def open_queue(url: str, *, name: str = "test", replicas: int = 1) -> AsyncIterator[Queue]:
    queue = Queue(url, name=name, replicas=replicas)
    await queue.start()
    try:
        await queue.ready(PATIENCE)
        yield queue
    finally:
        await queue.close(grace=1.0)


async def eventually(claim: Callable[[], Awaitable[bool]], *, within: float = PATIENCE) -> None:
    """Returns once the claim holds."""
    async with asyncio.timeout(within):
        while not await claim():  # noqa: ASYNC110  the claim is about a server: no event here could tell
            await asyncio.sleep(0.01)


async def publish_when_possible(
    queue: Queue, subject: str, payload: bytes, *, message_id: str, within: float = PATIENCE
) -> None:
    """As a dispatcher does it: again, until it is taken."""

    async def taken() -> bool:
        try:
            await queue.publish(subject, payload, message_id=message_id)
        except Unavailable:
            return False
        return True

    await eventually(taken, within=within)


async def stored(queue: Queue, stream: str = "WORK") -> int:
    """How many messages the stream holds."""
    async with queue.jetstream() as jetstream:
        return (await jetstream.stream_info(stream)).state.messages


async def work_is_done(queue: Queue) -> None:
    """Returns once every message is acknowledged."""

    async def empty() -> bool:
        return await stored(queue) == 0

    await eventually(empty)


async def reconnected(queue: Queue) -> None:
    """Returns once the queue is on a connection that works."""

    async def up() -> bool:
        return not await is_down(queue)

    await eventually(up)


async def is_down(queue: Queue) -> bool:
    try:
        await queue.ping()
    except Unavailable:
        return True
    return False


class Inbox:
    """A handler that succeeds, and remembers."""

    def __init__(self) -> None:
        self._deliveries: asyncio.Queue[Delivery] = asyncio.Queue()

    async def __call__(self, delivery: Delivery) -> None:
        self._deliveries.put_nowait(delivery)

    async def next(self, within: float = PATIENCE) -> Delivery:
        async with asyncio.timeout(within):
            return await self._deliveries.get()

    @property
    def is_empty(self) -> bool:
        return self._deliveries.empty()


class Failing(Inbox):
    """A handler that raises these, one each time, before it succeeds."""

    def __init__(self, *errors: BaseException) -> None:
        super().__init__()
        self._errors = list(errors)

    async def __call__(self, delivery: Delivery) -> None:
        await super().__call__(delivery)
        if self._errors:
            raise self._errors.pop(0)


class Undertaker:
    """An `on_dead` that remembers, and raises these first."""

    def __init__(self, *errors: Exception) -> None:
        self._deaths: asyncio.Queue[tuple[Delivery, Poison]] = asyncio.Queue()
        self._errors = list(errors)

    async def __call__(self, delivery: Delivery, poison: Poison) -> None:
        if self._errors:
            raise self._errors.pop(0)
        self._deaths.put_nowait((delivery, poison))

    async def next(self) -> tuple[Delivery, Poison]:
        async with asyncio.timeout(PATIENCE):
            return await self._deaths.get()


async def delivered_in_vain(url: str, subject: str, durable: str, times: int = 50) -> None:
    """Returns once the next message on the subject was delivered so often to somebody who could do nothing with it."""
    often = asyncio.Event()

    async def cannot(delivery: Delivery) -> None:
        if delivery.deliveries >= times:
            often.set()
        raise Again(delay=1.0 if often.is_set() else 0.0)

    async with open_queue(url, name="in vain") as queue, asyncio.timeout(PATIENCE):
        queue.consume(subject, durable=durable, handler=cannot, on_dead=nobody_dies, concurrency=1, max_deliveries=999)
        await often.wait()


async def nobody_dies(delivery: Delivery, poison: Poison) -> None:
    raise AssertionError(f"{delivery.subject} was given up: {poison.reason}")
