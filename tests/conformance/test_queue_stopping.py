"""How a queue stops: what runs may finish, and the rest is given back at once."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from chassis.errors import Unavailable
from chassis.queue import Delivery, Queue
from tests.nats import NatsServer
from tests.queueing import Inbox, nobody_dies, open_queue, stored


@pytest.fixture
async def queue(nats: NatsServer) -> AsyncIterator[Queue]:
    async with open_queue(nats.url) as queue:
        yield queue


async def test_closing_lets_a_running_handler_finish(nats: NatsServer, queue: Queue) -> None:
    started, may_finish = asyncio.Event(), asyncio.Event()

    async def waits(delivery: Delivery) -> None:
        started.set()
        await may_finish.wait()

    async with open_queue(nats.url) as closing:
        closing.consume("work.prompt", durable="prompt", handler=waits, on_dead=nobody_dies, concurrency=1)
        await queue.publish("work.prompt", b"draw", message_id="1")
        await started.wait()
        closed = asyncio.create_task(closing.close())
        await queue.ping()
        may_finish.set()
        await closed

    assert await stored(queue) == 0


async def test_closing_gives_back_what_does_not_finish_in_time(nats: NatsServer, queue: Queue) -> None:
    started, never = asyncio.Event(), asyncio.Event()

    async def waits(delivery: Delivery) -> None:
        started.set()
        await never.wait()

    async with open_queue(nats.url) as closing:
        closing.consume("work.prompt", durable="prompt", handler=waits, on_dead=nobody_dies, concurrency=1)
        await queue.publish("work.prompt", b"draw", message_id="1")
        await started.wait()
        await closing.close(grace=0.05)
    inbox = Inbox()
    queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=1)

    assert (await inbox.next()).deliveries == 2


async def test_a_drained_queue_takes_no_more_and_still_publishes(nats: NatsServer, queue: Queue) -> None:
    drained, inbox = Inbox(), Inbox()
    async with open_queue(nats.url) as draining:
        draining.consume("work.prompt", durable="prompt", handler=drained, on_dead=nobody_dies, concurrency=1)
        await draining.publish("work.prompt", b"before", message_id="1")
        await drained.next()

        await draining.drain(grace=1.0)
        await draining.publish("work.prompt", b"after", message_id="2")
        queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=1)

        assert (await inbox.next()).data == b"after"
    assert drained.is_empty


async def test_what_a_drained_queue_did_not_begin_is_handled_by_another_at_once(nats: NatsServer, queue: Queue) -> None:
    started, never = asyncio.Event(), asyncio.Event()
    inbox = Inbox()

    async def waits(delivery: Delivery) -> None:
        started.set()
        await never.wait()

    async with open_queue(nats.url) as draining:
        draining.consume("work.prompt", durable="prompt", handler=waits, on_dead=nobody_dies, concurrency=1)
        for number in range(5):
            await queue.publish("work.prompt", b"draw", message_id=str(number))
        await started.wait()
        before = time.monotonic()
        await draining.drain(grace=0.05)
        queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=1)

        for _ in range(5):
            await inbox.next()

    assert time.monotonic() - before < 5.0, "sooner than `ack_wait`"


async def test_a_closed_queue_takes_nothing(nats: NatsServer) -> None:
    async with open_queue(nats.url) as queue:
        await queue.close()

        with pytest.raises(Unavailable):
            await queue.publish("work.prompt", b"draw", message_id="1")
