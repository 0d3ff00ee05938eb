"""The work queue on a real server: what is published is handled, and what cannot be handled is kept."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from chassis.errors import Unavailable
from chassis.queue import Again, Delivery, Poison, Queue, TooOften
from tests.nats import NatsServer
from tests.queueing import Failing, Inbox, Undertaker, nobody_dies, open_queue, stored, work_is_done


@pytest.fixture
async def queue(nats: NatsServer) -> AsyncIterator[Queue]:
    async with open_queue(nats.url) as queue:
        yield queue


async def test_a_repeated_message_id_is_stored_once(queue: Queue) -> None:
    await queue.publish("work.prompt", b"one", message_id="1")
    await queue.publish("work.prompt", b"one", message_id="1")
    await queue.publish("work.prompt", b"two", message_id="2")

    assert await stored(queue) == 2


async def test_a_handler_sees_what_was_published(queue: Queue) -> None:
    inbox = Inbox()
    queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=2)

    await queue.publish("work.prompt", b"draw", message_id="1", headers={"request-id": "r-1"})

    delivery = await inbox.next()
    assert (delivery.subject, delivery.data, delivery.deliveries) == ("work.prompt", b"draw", 1)
    assert (delivery.message_id, delivery.request_id) == ("1", "r-1")


async def test_a_handled_message_is_removed(queue: Queue) -> None:
    inbox = Inbox()
    queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=nobody_dies, concurrency=2)

    await queue.publish("work.prompt", b"draw", message_id="1")

    await work_is_done(queue)
    assert (await inbox.next()).data == b"draw"
    assert inbox.is_empty


@pytest.mark.parametrize("error", [ValueError("a bug"), asyncio.CancelledError()])
async def test_a_message_whose_handler_fails_comes_again(queue: Queue, error: BaseException) -> None:
    handler = Failing(error)
    queue.consume("work.prompt", durable="prompt", handler=handler, on_dead=nobody_dies, concurrency=1)

    await queue.publish("work.prompt", b"draw", message_id="1")

    assert (await handler.next()).deliveries == 1
    assert (await handler.next()).deliveries == 2
    await work_is_done(queue)


async def test_a_message_waits_for_what_is_down_without_being_delivered_again(queue: Queue) -> None:
    handler = Failing(Unavailable("no database"), Unavailable("no database"))
    queue.consume("work.prompt", durable="prompt", handler=handler, on_dead=nobody_dies, concurrency=1)

    await queue.publish("work.prompt", b"draw", message_id="1")

    assert [(await handler.next()).deliveries for _ in range(3)] == [1, 1, 1]
    await work_is_done(queue)


async def test_a_message_that_waited_too_long_for_what_is_down_comes_again(queue: Queue) -> None:
    handler = Failing(Unavailable("no database"))
    queue.consume("work.prompt", durable="prompt", handler=handler, on_dead=nobody_dies, concurrency=1, patience=0)

    await queue.publish("work.prompt", b"draw", message_id="1")

    assert [(await handler.next()).deliveries for _ in range(2)] == [1, 2]
    await work_is_done(queue)


async def test_what_is_down_is_told_once_and_so_is_its_return(queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    handler = Failing(Unavailable("no database"), Unavailable("no database"))
    queue.consume("work.prompt", durable="prompt", handler=handler, on_dead=nobody_dies, concurrency=1)

    await queue.publish("work.prompt", b"draw", message_id="1")
    await work_is_done(queue)

    told = [record.getMessage() for record in caplog.records if "waiting" in record.getMessage()]
    assert told == ["prompt: waiting", "no longer: prompt: waiting"]


async def test_again_delays_the_next_delivery(queue: Queue) -> None:
    handler = Failing(Again(delay=0.5))
    queue.consume("work.prompt", durable="prompt", handler=handler, on_dead=nobody_dies, concurrency=1)

    await queue.publish("work.prompt", b"draw", message_id="1")

    await handler.next()
    first = time.monotonic()
    assert (await handler.next()).deliveries == 2
    assert time.monotonic() - first > 0.45


async def test_a_message_that_waits_for_its_next_turn_holds_up_nobody(queue: Queue) -> None:
    handler = Failing(Again(delay=30))
    queue.consume("work.prompt", durable="prompt", handler=handler, on_dead=nobody_dies, concurrency=1)

    await queue.publish("work.prompt", b"first", message_id="1")
    await queue.publish("work.prompt", b"second", message_id="2")

    assert [(await handler.next()).data, (await handler.next()).data] == [b"first", b"second"]


async def test_poison_becomes_a_dead_letter_with_its_story(queue: Queue) -> None:
    undertaker = Undertaker()
    handler = Failing(Poison("The template\nis gone."))
    queue.consume("work.prompt", durable="prompt", handler=handler, on_dead=undertaker, concurrency=1)

    await queue.publish("work.prompt", b"draw", message_id="1", headers={"request-id": "r-1"})

    delivery, poison = await undertaker.next()
    assert (delivery.data, poison.reason) == (b"draw", "The template\nis gone.")
    await work_is_done(queue)
    async with queue.jetstream() as jetstream:
        letter = await jetstream.get_last_msg("DEAD_LETTERS", "dead.work.prompt")
    assert letter.data == b"draw"
    headers = letter.headers or {}
    assert headers["First-Seen"] <= headers["Buried-At"]
    assert {name: headers[name] for name in headers if name not in ("First-Seen", "Buried-At")} == {
        "Reason": "The template is gone.",
        "Consumer": "prompt",
        "Deliveries": "1",
        "Subject": "work.prompt",
        "Message-Id": "1",
        "request-id": "r-1",
        "Nats-Msg-Id": f"prompt:{delivery.sequence}:{headers['First-Seen']}",
    }


async def test_a_message_delivered_too_often_is_dead(queue: Queue) -> None:
    undertaker = Undertaker()
    handler = Failing(Again(0), Again(0), Again(0))
    queue.consume("work.prompt", durable="prompt", handler=handler, on_dead=undertaker, concurrency=1, max_deliveries=3)

    await queue.publish("work.prompt", b"draw", message_id="1")

    delivery, poison = await undertaker.next()
    assert delivery.deliveries == 4
    assert isinstance(poison, TooOften) and poison.reason == "Delivered 3 times without success."
    assert [(await handler.next()).deliveries for _ in range(3)] == [1, 2, 3]
    assert handler.is_empty
    await work_is_done(queue)


async def test_a_dead_letter_is_stored_once_although_telling_somebody_failed(queue: Queue) -> None:
    undertaker = Undertaker(Unavailable("no database"))
    handler = Failing(Poison("no"), Poison("no"))
    queue.consume("work.prompt", durable="prompt", handler=handler, on_dead=undertaker, concurrency=1)

    await queue.publish("work.prompt", b"draw", message_id="1")

    assert (await undertaker.next())[0].deliveries == 2
    await work_is_done(queue)
    assert await stored(queue, "DEAD_LETTERS") == 1


async def test_a_long_handler_keeps_its_message(queue: Queue) -> None:
    deliveries = []

    async def takes_long(delivery: Delivery) -> None:
        deliveries.append(delivery.deliveries)
        await asyncio.sleep(2.2)

    queue.consume("work.prompt", durable="prompt", handler=takes_long, on_dead=nobody_dies, concurrency=2, ack_wait=1.0)

    await queue.publish("work.prompt", b"draw", message_id="1")

    await work_is_done(queue)
    assert deliveries == [1]


async def test_a_handler_that_hangs_is_ended_and_the_message_comes_again(queue: Queue) -> None:
    ended: asyncio.Queue[int] = asyncio.Queue()
    never = asyncio.Event()

    async def hangs(delivery: Delivery) -> None:
        try:
            if delivery.deliveries == 1:
                await never.wait()
        finally:
            ended.put_nowait(delivery.deliveries)

    queue.consume(
        "work.prompt", durable="prompt", handler=hangs, on_dead=nobody_dies, concurrency=1, ack_wait=0.3, max_work=0.5
    )

    await queue.publish("work.prompt", b"draw", message_id="1")

    assert [await ended.get(), await ended.get()] == [1, 2]
    await work_is_done(queue)


async def test_a_consumer_never_runs_more_than_its_slots(queue: Queue) -> None:
    running, most = 0, 0

    async def counts(delivery: Delivery) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1

    for number in range(20):
        await queue.publish("work.prompt", b"draw", message_id=str(number))
    queue.consume("work.prompt", durable="prompt", handler=counts, on_dead=nobody_dies, concurrency=3)

    await work_is_done(queue)
    assert most == 3


async def test_replicas_share_the_work(nats: NatsServer, queue: Queue) -> None:
    meeting = asyncio.Barrier(2)

    async def meets(delivery: Delivery) -> None:
        await meeting.wait()

    async with open_queue(nats.url) as other:
        for replica in (queue, other):
            replica.consume("work.prompt", durable="prompt", handler=meets, on_dead=nobody_dies, concurrency=1)

        await queue.publish("work.prompt", b"one", message_id="1")
        await queue.publish("work.prompt", b"two", message_id="2")

        await work_is_done(queue)


async def test_a_subject_that_no_stream_keeps_is_refused(queue: Queue) -> None:
    with pytest.raises(Unavailable):
        await queue.publish("work.unheard-of", b"draw", message_id="1")
