"""The queue when its server is away, comes back, or loses what it was told."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from chassis.errors import Unavailable
from chassis.queue import Delivery, Queue
from tests.nats import PASSWORD, URL_PASSWORD, NatsServer
from tests.queueing import (
    Inbox,
    eventually,
    is_down,
    nobody_dies,
    open_queue,
    publish_when_possible,
    reconnected,
    stored,
    work_is_done,
)


@pytest.fixture
async def queue(nats: NatsServer) -> AsyncIterator[Queue]:
    async with open_queue(nats.url) as queue:
        yield queue


@pytest.fixture
async def early(nats: NatsServer) -> AsyncIterator[Queue]:
    """A queue that is started while there is no server."""
    nats.kill()
    queue = Queue(nats.url, name="early")
    await queue.start()
    yield queue
    await queue.close()


async def test_a_queue_started_before_nats_works_once_nats_appears(nats: NatsServer, early: Queue) -> None:
    inbox = Inbox()
    early.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=1)
    with pytest.raises(Unavailable):
        await early.ready(timeout=0.1)

    nats.start()

    await early.ready()
    await early.publish("work.prompt", b"draw", message_id="1")
    assert (await inbox.next()).data == b"draw"


async def test_the_log_says_what_is_waited_for_and_keeps_the_password(
    early: Queue, nats: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def logged() -> bool:
        return "waiting for NATS" in caplog.text

    await eventually(logged)

    assert f"nats://127.0.0.1:{nats.port}" in caplog.text
    assert PASSWORD not in caplog.text
    assert URL_PASSWORD not in caplog.text


async def test_publishing_without_nats_fails_at_once(early: Queue) -> None:
    before = time.monotonic()

    with pytest.raises(Unavailable):
        await early.publish("work.prompt", b"draw", message_id="1")

    assert time.monotonic() - before < 0.5


async def test_what_failed_to_be_published_is_not_sent_later(nats: NatsServer, queue: Queue) -> None:
    nats.kill()
    with pytest.raises(Unavailable):
        await queue.publish("work.prompt", b"late", message_id="1")
    nats.start()

    await publish_when_possible(queue, "work.store", b"on time", message_id="2")

    assert await stored(queue) == 1


async def test_a_publish_that_waits_fails_when_nats_dies(nats: NatsServer, queue: Queue) -> None:
    nats.freeze()
    waiting = asyncio.create_task(queue.publish("work.prompt", b"draw", message_id="1"))
    await asyncio.wait({waiting}, timeout=0.05)
    before = time.monotonic()

    nats.kill()

    with pytest.raises(Unavailable):
        await waiting
    assert time.monotonic() - before < 1.0


async def test_a_ping_tells_whether_nats_is_there(nats: NatsServer, queue: Queue) -> None:
    await queue.ping()

    nats.kill()

    with pytest.raises(Unavailable):
        await queue.ping()


async def test_a_restart_keeps_the_messages_and_consumers_go_on(nats: NatsServer, queue: Queue) -> None:
    inbox = Inbox()
    await queue.publish("work.prompt", b"before", message_id="1")
    nats.kill()
    nats.start()

    queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=1)

    assert (await inbox.next()).data == b"before"
    await work_is_done(queue)
    nats.kill()
    nats.start()
    await publish_when_possible(queue, "work.prompt", b"after", message_id="2")
    assert (await inbox.next()).data == b"after"


async def test_a_handler_that_outlives_a_restart_still_acknowledges(nats: NatsServer, queue: Queue) -> None:
    deliveries = []
    started, may_finish = asyncio.Event(), asyncio.Event()

    async def waits(delivery: Delivery) -> None:
        deliveries.append(delivery.deliveries)
        started.set()
        await may_finish.wait()

    queue.consume("work.prompt", durable="prompt", handler=waits, on_dead=nobody_dies, concurrency=1)
    await queue.publish("work.prompt", b"draw", message_id="1")
    await started.wait()

    nats.restart()
    await reconnected(queue)
    may_finish.set()

    await work_is_done(queue)
    assert deliveries == [1]


async def test_a_consumer_that_was_deleted_is_made_again(queue: Queue) -> None:
    inbox = Inbox()
    queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=1)
    await queue.publish("work.prompt", b"before", message_id="1")
    await work_is_done(queue)
    await inbox.next()

    async with queue.jetstream() as jetstream:
        await jetstream.delete_consumer("WORK", "prompt")
    await queue.publish("work.prompt", b"after", message_id="2")

    assert (await inbox.next()).data == b"after"


async def test_streams_that_were_deleted_are_made_again(queue: Queue) -> None:
    inbox = Inbox()
    queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=1)
    await queue.publish("work.prompt", b"before", message_id="1")
    await work_is_done(queue)
    await inbox.next()

    async with queue.jetstream() as jetstream:
        await jetstream.delete_stream("WORK")
    await publish_when_possible(queue, "work.prompt", b"after", message_id="2")

    assert (await inbox.next()).data == b"after"


async def test_an_announcement_reaches_who_listens(nats: NatsServer, queue: Queue) -> None:
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
    async with open_queue(nats.url) as other:
        await other.listen("jobs.*", lambda subject, payload: heard.put_nowait((subject, payload)), lambda: None)

        await queue.announce("jobs.1", b"done")

        async with asyncio.timeout(5):
            assert await heard.get() == ("jobs.1", b"done")


async def test_announcing_without_nats_is_nobodys_error(early: Queue) -> None:
    await early.announce("jobs.1", b"done")

    assert await is_down(early)


async def test_a_listener_hears_again_after_a_restart_and_is_told_of_the_gap(nats: NatsServer, queue: Queue) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    gaps: asyncio.Queue[bool] = asyncio.Queue()
    await queue.listen("jobs.*", lambda _, payload: heard.put_nowait(payload), lambda: gaps.put_nowait(True))
    await gaps.get()

    nats.kill()
    nats.start()

    async with asyncio.timeout(5):
        await gaps.get()
        await queue.announce("jobs.1", b"back")
        assert await heard.get() == b"back"


async def test_a_listener_that_fails_hears_the_next_announcement(queue: Queue) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    def fails(_: str, payload: bytes) -> None:
        heard.put_nowait(payload)
        raise ValueError("a bug")

    await queue.listen("jobs.*", fails, lambda: None)

    await queue.announce("jobs.1", b"one")
    await queue.announce("jobs.1", b"two")

    async with asyncio.timeout(5):
        assert [await heard.get(), await heard.get()] == [b"one", b"two"]


async def test_listening_may_begin_before_nats_does(nats: NatsServer, early: Queue) -> None:
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    await early.listen("jobs.*", lambda _, payload: heard.put_nowait(payload), lambda: None)

    nats.start()
    await early.ready()
    await early.announce("jobs.1", b"done")

    async with asyncio.timeout(5):
        assert await heard.get() == b"done"
