"""The queue on three servers, of which any one may die or hang."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from chassis.errors import Unavailable
from chassis.queue import Delivery, Queue
from chassis.renders.object_store import ObjectStoreRenders
from tests.nats import NatsCluster, NatsServer, start_cluster
from tests.queueing import Inbox, eventually, nobody_dies, open_queue, publish_when_possible

ELECTIONS = 40.0
"""Seconds; JetStream alone takes up to nine to elect a leader, and there may be three to elect in turn."""
NUMBER = 30


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[NatsCluster]:
    cluster = start_cluster(tmp_path / "nats")
    yield cluster
    cluster.kill()


@pytest.fixture
async def queues(cluster: NatsCluster) -> AsyncIterator[list[Queue]]:
    """Those of two replicas."""
    async with open_queue(cluster.url, replicas=3) as one, open_queue(cluster.url, replicas=3) as other:
        yield [one, other]


async def leader(queue: Queue, stream: str = "WORK") -> str | None:
    async with queue.jetstream() as jetstream:
        info = await jetstream.stream_info(stream)
    assert info.cluster is not None
    return info.cluster.leader


class Handled:
    """A handler that remembers whose bodies it saw."""

    def __init__(self) -> None:
        self.bodies: set[bytes] = set()

    async def __call__(self, delivery: Delivery) -> None:
        self.bodies.add(delivery.data)


@pytest.mark.parametrize("fault", [NatsServer.kill, NatsServer.freeze], ids=["it dies", "it hangs"])
async def test_no_message_is_lost_with_the_server_that_leads(
    cluster: NatsCluster, queues: list[Queue], fault: Callable[[NatsServer], None]
) -> None:
    handled = Handled()
    for queue in queues:
        queue.consume("work.prompt", durable="prompt", handler=handled, on_dead=nobody_dies, concurrency=4)
    bodies = [str(number).encode() for number in range(NUMBER)]

    for body in bodies[:10]:
        await publish_when_possible(queues[0], "work.prompt", body, message_id=body.decode())
    fault(cluster.named(await leader(queues[0])))
    for body in bodies[10:]:
        await publish_when_possible(queues[1], "work.prompt", body, message_id=body.decode(), within=ELECTIONS)

    async def all_are_handled() -> bool:
        return handled.bodies == set(bodies)

    await eventually(all_are_handled, within=ELECTIONS)


async def test_a_server_that_hangs_is_left_for_another(cluster: NatsCluster, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "chassis.queue")
    inbox = Inbox()
    async with open_queue(cluster.url, replicas=3) as queue:
        queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=1)
        [frozen] = [server for server in cluster.servers if server.port in connections(caplog)]
        frozen.freeze()

        async def is_elsewhere() -> bool:
            return connections(caplog)[-1] != frozen.port

        await eventually(is_elsewhere, within=ELECTIONS)
        await publish_when_possible(queue, "work.prompt", b"draw", message_id="1", within=ELECTIONS)
        assert (await inbox.next(ELECTIONS)).data == b"draw"


def connections(caplog: pytest.LogCaptureFixture) -> list[int]:
    """The ports of the servers that were talked to, the last one last."""
    return [
        int(record.getMessage().rpartition(":")[2])
        for record in caplog.records
        if record.getMessage().startswith("connected to NATS at")
    ]


async def test_a_render_outlives_the_server_that_leads(cluster: NatsCluster, queues: list[Queue]) -> None:
    made, stored = ObjectStoreRenders(queues[0]), ObjectStoreRenders(queues[1])
    picture = bytes(range(256)) * 5_000
    await made.put("picture", picture)

    cluster.named(await leader(queues[1], "OBJ_renders")).kill()

    async def is_read() -> bool:
        try:
            return await stored.get("picture") == picture
        except Unavailable:
            return False

    await eventually(is_read, within=ELECTIONS)


async def test_one_server_of_three_keeps_nothing_and_two_do(cluster: NatsCluster) -> None:
    _, second, third = cluster.servers
    second.kill()
    third.kill()
    queue = Queue(cluster.url, name="early", replicas=3)
    await queue.start()

    with pytest.raises(Unavailable):
        await queue.ready(timeout=1.0)
    with pytest.raises(Unavailable):
        await queue.publish("work.prompt", b"draw", message_id="1")

    second.start()
    third.start()
    await queue.ready(ELECTIONS)
    third.kill()
    await publish_when_possible(queue, "work.prompt", b"draw", message_id="1", within=ELECTIONS)
    await queue.close()
