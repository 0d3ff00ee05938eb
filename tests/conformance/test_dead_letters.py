"""Dead letters on a real server: whatever died is kept, once, and holds nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.errors import Unavailable
from chassis.queue import Delivery, LetterMissing, Poison, Queue
from tests.nats import NatsServer
from tests.queueing import Failing, Inbox, Undertaker, eventually, open_queue, stored, work_is_done


@pytest.fixture
async def queue(nats: NatsServer) -> AsyncIterator[Queue]:
    async with open_queue(nats.url) as queue:
        yield queue


async def refuses(delivery: Delivery) -> None:
    """A handler that can use nothing but `good`."""
    if delivery.data != b"good":
        raise Poison("It is no good.")


async def buried(queue: Queue, count: int) -> None:
    """Returns once there are so many dead letters."""

    async def so_many() -> bool:
        return await stored(queue, "DEAD_LETTERS") == count

    await eventually(so_many)


@pytest.mark.parametrize(
    "headers",
    [
        {"Status": "404"},
        {"Status": "100", "Description": "Idle Heartbeat"},
        {"Nats-Msg-Id": "ключ:²:b:1"},
        {"Nats-Msg-Id": "x" * 20_000},
        {"request-id": "line\tone"},
    ],
    ids=["as if the server spoke", "as if nothing was there", "an id of any letters", "a long id", "a tab"],
)
async def test_whatever_its_headers_are_it_is_buried_and_holds_nobody_up(queue: Queue, headers: dict[str, str]) -> None:
    undertaker = Undertaker()
    queue.consume("work.prompt", durable="prompt", handler=refuses, on_dead=undertaker, concurrency=1)
    async with queue.jetstream() as jetstream:
        await jetstream.publish("work.prompt", b"junk", headers=headers)

    await queue.publish("work.prompt", b"good", message_id="1")

    assert (await undertaker.next())[0].data == b"junk"
    await work_is_done(queue)
    [letter], _ = await queue.dead_letters.newest(before=None, limit=9)
    assert (letter.data, letter.reason, letter.deliveries) == (b"junk", "It is no good.", 1)
    assert len(letter.message_id) <= 500


async def test_what_is_as_large_as_can_be_is_kept_in_part(queue: Queue) -> None:
    async with queue.jetstream() as jetstream:
        await jetstream.publish("work.prompt", bytes(1024 * 1024))
    undertaker = Undertaker()

    queue.consume("work.prompt", durable="prompt", handler=refuses, on_dead=undertaker, concurrency=1)

    assert (await undertaker.next())[0].deliveries == 1
    await work_is_done(queue)
    [letter], _ = await queue.dead_letters.newest(before=None, limit=9)
    assert letter.headers["Cut-From"] == "1048576 bytes"
    assert 1_000_000 < len(letter.data) < 1024 * 1024


async def test_a_burial_waits_for_nats_and_happens_once(nats: NatsServer, queue: Queue) -> None:
    undertaker, is_away = Undertaker(), asyncio.Event()

    async def dies_while_nats_is_away(delivery: Delivery) -> None:
        if not is_away.is_set():
            await asyncio.to_thread(nats.kill)
            is_away.set()
        raise Poison("no")

    queue.consume(
        "work.prompt", durable="prompt", handler=dies_while_nats_is_away, on_dead=undertaker, concurrency=1, ack_wait=1
    )
    await queue.publish("work.prompt", b"draw", message_id="1")
    await is_away.wait()
    nats.start()

    assert (await undertaker.next())[0].data == b"draw"
    await work_is_done(queue)
    assert await stored(queue, "DEAD_LETTERS") == 1


async def test_what_can_be_told_to_nobody_is_kept_once_and_holds_nobody_up(queue: Queue) -> None:
    told = asyncio.Semaphore(0)

    async def cannot(delivery: Delivery, poison: Poison) -> None:
        told.release()
        raise ValueError("a bug")

    queue.consume("work.prompt", durable="prompt", handler=refuses, on_dead=cannot, concurrency=1)
    await queue.publish("work.prompt", b"junk", message_id="1")
    for _ in range(2):
        await told.acquire()

    await queue.publish("work.prompt", b"good", message_id="2")

    async def is_handled() -> bool:
        return await queue.message_ids() == {"1"}

    await eventually(is_handled)
    assert await stored(queue, "DEAD_LETTERS") == 1


async def test_a_stream_that_is_made_anew_buries_what_is_in_the_same_place(queue: Queue) -> None:
    undertaker = Undertaker()
    queue.consume("work.prompt", durable="prompt", handler=refuses, on_dead=undertaker, concurrency=1)
    async with queue.jetstream() as jetstream:
        await jetstream.publish("work.prompt", b"before")
        await undertaker.next()
        await jetstream.delete_stream("WORK")

    async def is_taken() -> bool:
        try:
            async with queue.jetstream() as jetstream:
                await jetstream.publish("work.prompt", b"after")
        except Unavailable:
            return False
        return True

    await eventually(is_taken)
    await undertaker.next()
    await buried(queue, 2)


async def bury_some(queue: Queue, count: int) -> None:
    """Dead letters `0`, `1` and so on, in this order."""
    undertaker = Undertaker()
    queue.consume("work.prompt", durable="prompt", handler=refuses, on_dead=undertaker, concurrency=1)
    for number in range(count):
        await queue.publish("work.prompt", str(number).encode(), message_id=f"id-{number}", headers={"request-id": "r"})
        await undertaker.next()
    await buried(queue, count)


async def test_letters_are_read_page_by_page_the_newest_first(queue: Queue) -> None:
    await bury_some(queue, 5)

    first, total = await queue.dead_letters.newest(before=None, limit=2)
    second, _ = await queue.dead_letters.newest(before=first[-1].sequence, limit=2)
    third, _ = await queue.dead_letters.newest(before=second[-1].sequence, limit=2)
    beyond, _ = await queue.dead_letters.newest(before=third[-1].sequence, limit=2)

    assert [[letter.data for letter in page] for page in (first, second, third, beyond)] == [
        [b"4", b"3"], [b"2", b"1"], [b"0"], [],
    ]  # fmt: skip
    assert total == 5
    letter = first[0]
    assert (letter.subject, letter.consumer, letter.deliveries) == ("work.prompt", "prompt", 1)
    assert (letter.message_id, letter.request_id, letter.reason) == ("id-4", "r", "It is no good.")
    assert letter.first_seen <= letter.buried_at


async def test_a_page_passes_over_what_was_taken_away(queue: Queue) -> None:
    await bury_some(queue, 5)
    letters, _ = await queue.dead_letters.newest(before=None, limit=5)
    for letter in (letters[0], letters[2], letters[4]):
        await queue.dead_letters.remove(letter.sequence)
        await queue.dead_letters.remove(letter.sequence)

    left, total = await queue.dead_letters.newest(before=None, limit=2)

    assert ([letter.data for letter in left], total) == ([b"3", b"1"], 2)
    assert await queue.dead_letters.get(letters[1].sequence) == letters[1]
    for sequence in (letters[2].sequence, 1_000_000):
        with pytest.raises(LetterMissing):
            await queue.dead_letters.get(sequence)


async def test_where_there_are_none_none_are_found(queue: Queue) -> None:
    assert await queue.dead_letters.newest(before=None, limit=9) == ([], 0)
    assert await queue.dead_letters.newest(before=7, limit=9) == ([], 0)


async def test_a_letter_that_somebody_else_wrote_can_be_read(queue: Queue) -> None:
    headers = {"Deliveries": "many", "First-Seen": "once", "Buried-At": "9999-99-99", "Reason": "ключ"}
    async with queue.jetstream() as jetstream:
        await jetstream.publish("dead.of.night", b"", headers=headers)
        await jetstream.publish("dead.bare", b"x")

    [bare, odd], _ = await queue.dead_letters.newest(before=None, limit=9)

    assert (bare.subject, bare.data, bare.deliveries, bare.reason) == ("bare", b"x", 0, "")
    assert (odd.subject, odd.data, odd.deliveries) == ("of.night", b"", 0)
    assert odd.first_seen == odd.buried_at


async def test_without_nats_no_letter_can_be_read_or_taken_away(nats: NatsServer, queue: Queue) -> None:
    nats.kill()

    for call in (
        queue.dead_letters.newest(before=None, limit=9), queue.dead_letters.get(1), queue.dead_letters.remove(1),
    ):  # fmt: skip
        with pytest.raises(Unavailable):
            await call
    nats.start()


async def test_ids_that_are_not_ours_are_listed_all_the_same(queue: Queue) -> None:
    async with queue.jetstream() as jetstream:
        for message_id in ("ключ", "a:²:b:1"):
            await jetstream.publish("work.prompt", b"", headers={"Nats-Msg-Id": message_id})
        await jetstream.publish("work.prompt", b"")

    listed = await queue.message_ids()

    assert len(listed) == 3 and "" in listed and all(type(each) is str for each in listed)
    inbox = Inbox()
    queue.consume("work.prompt", durable="prompt", handler=inbox, on_dead=Undertaker(), concurrency=1)
    await work_is_done(queue)


async def test_a_letter_says_how_often_it_was_tried(queue: Queue) -> None:
    undertaker = Undertaker()
    handler = Failing(*[ValueError("a bug")] * 9)
    queue.consume("work.prompt", durable="prompt", handler=handler, on_dead=undertaker, concurrency=1, max_deliveries=1)

    await queue.publish("work.prompt", b"draw", message_id="1")

    await undertaker.next()
    [letter], _ = await queue.dead_letters.newest(before=None, limit=9)
    assert (letter.reason, letter.deliveries) == ("Delivered 1 times without success.", 2)
