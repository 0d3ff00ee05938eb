"""Looking through the queue: everything that waits or is worked on is seen, and nothing is taken by it."""

import asyncio

import pytest

from chassis.errors import Unavailable
from chassis.queue import Delivery
from tests.nats import NatsServer
from tests.queueing import Inbox, nobody_dies, open_queue, work_is_done


async def test_what_waits_is_listed_by_its_ids_and_still_delivered(nats: NatsServer) -> None:
    async with open_queue(nats.url) as queue:
        for number in range(3):
            await queue.publish("work.prompt", b"draw", message_id=f"waiting-{number}")

        listed = await queue.message_ids()
        inbox = Inbox()
        queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=1)
        await work_is_done(queue)

        assert listed == {"waiting-0", "waiting-1", "waiting-2"}
        assert {(await inbox.next()).deliveries for _ in range(3)} == {1}
        assert await queue.message_ids() == set()


async def test_a_message_that_is_being_passed_on_is_never_missed(nats: NatsServer) -> None:
    """As from stage to stage: the next message is stored before the last one is acknowledged."""
    async with open_queue(nats.url) as queue:
        rounds = asyncio.Event()

        async def pass_on(delivery: Delivery) -> None:
            number = int(delivery.message_id.split(":")[1]) + 1
            await queue.publish("work.prompt", b"draw", message_id=f"item:{number}")
            if number >= 200:
                rounds.set()

        queue.consume("work.prompt", durable="prompt", handler=pass_on, on_dead=nobody_dies, concurrency=1)
        await queue.publish("work.prompt", b"draw", message_id="item:0")

        async with asyncio.timeout(20):
            while not rounds.is_set():
                assert await queue.message_ids()


async def test_a_queue_that_is_away_cannot_be_listed(nats: NatsServer) -> None:
    async with open_queue(nats.url) as queue:
        nats.kill()
        with pytest.raises(Unavailable):
            await queue.message_ids()
        nats.start()
