"""The queue on a disk that runs full: it keeps what it took, says that it takes no more, and drops what is done."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from chassis.errors import Unavailable
from chassis.queue import Delivery, Queue
from deploy.local.nats import stopped_storing
from tests.disks import MIB, SmallDisk, on_a_small_disk
from tests.nats import start_nats
from tests.queueing import eventually, is_down, nobody_dies, open_queue, reconnected, stored

TASKS = 5


class Gate:
    """A handler that has taken every message, and lets all of them go at once."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.open = asyncio.Event()

    async def __call__(self, delivery: Delivery) -> None:
        self.taken.append(delivery.sequence)
        await self.open.wait()

    async def has_all(self) -> bool:
        return len(self.taken) >= TASKS


async def fill(queue: Queue) -> int:
    """Returns when the queue refuses; answers how many messages it took until then."""
    taken = 0
    while True:
        try:
            await queue.publish("work.store", bytes(500), message_id=f"on a full disk: {taken}")
        except Unavailable:
            return taken
        taken += 1


async def is_acknowledged(queue: Queue) -> bool:
    async with queue.jetstream() as jetstream:
        return not (await jetstream.consumer_info("WORK", "prompt")).num_ack_pending


@on_a_small_disk(32 * MIB)
async def test_a_full_disk_costs_no_message_and_leaves_none(disk: SmallDisk) -> None:
    nats, gate = start_nats(disk.path / "nats"), Gate()
    async with AsyncExitStack() as stack:
        stack.callback(nats.stop)
        queue = await stack.enter_async_context(open_queue(nats.url))
        queue.consume("work.prompt", durable="prompt", handler=gate, on_dead=nobody_dies, concurrency=TASKS)
        for number in range(TASKS):
            await queue.publish("work.prompt", b"draw", message_id=str(number))
        await eventually(gate.has_all)

        disk.fill()
        kept = await fill(queue)
        assert await is_down(queue), "it answers, and stores nothing"
        gate.open.set()
        await eventually(lambda: is_acknowledged(queue))
        assert await stopped_storing(nats.monitor_port, disk.path) is None, "to start it again would not help"
        disk.make_room()
        assert "write error" in str(await stopped_storing(nats.monitor_port, disk.path))
        nats.restart()
        await reconnected(queue)
        await queue.sweep()

        async def only_what_was_kept() -> bool:
            return await stored(queue) == kept

        await eventually(only_what_was_kept)
        await queue.publish("work.store", b"keep", message_id="with room again")
        assert await queue.sweep() == 0, "what is not done stays"
        assert await stored(queue) == kept + 1
        assert await stopped_storing(nats.monitor_port, disk.path) is None
