"""The dispatcher sends what is committed, once, and gives back what it could not send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.database import migrate, open_database
from chassis.errors import Unavailable
from services.generation.dispatcher import SILENCE, UNSENT, Dispatcher
from services.generation.domain import Dispatch, Sending
from services.generation.items_store import ItemStore
from services.generation.states import JobStatus
from services.generation.store import JobStore
from tests.builders import NOON, a_failure, a_job


@dataclass
class Wire:
    """Where items are sent; it can be cut after so many."""

    sent: list[Dispatch] = field(default_factory=list)
    room: int = 1_000
    lost: set[Sending] = field(default_factory=set)
    announced: list[str] = field(default_factory=list)
    now: datetime = NOON
    busy: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is closed, nothing gets through."""

    def __post_init__(self) -> None:
        self.gate.set()

    async def send(self, dispatch: Dispatch) -> None:
        if len(self.sent) >= self.room:
            raise Unavailable("the queue is away")
        self.busy.set()
        await self.gate.wait()
        self.sent.append(dispatch)

    async def under_way(self) -> set[Sending]:
        return {Sending(each.job_id, each.item, each.dispatch) for each in self.sent} - self.lost

    async def announce(self, job_id: str) -> None:
        self.announced.append(job_id)


@dataclass
class World:
    jobs: JobStore
    items: ItemStore
    wire: Wire
    dispatcher: Dispatcher


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await open_database(f"sqlite://{tmp_path}/test.db", schema="generation")
    await migrate(database, Path(services.generation.__file__).parent / "migrations")
    items, wire = ItemStore(database), Wire()
    dispatcher = Dispatcher(
        outbox=items,
        items=items,
        send=wire.send,
        under_way=wire.under_way,
        announcer=wire,
        window=4,
        clock=lambda: wire.now,
    )
    yield World(JobStore(database), items, wire, dispatcher)
    await database.close()


async def test_it_fills_the_window_and_no_more(world: World) -> None:
    for _ in range(3):
        await world.jobs.create(a_job(count=2))

    assert await world.dispatcher.dispatch() == 4
    assert await world.dispatcher.dispatch() == 0

    assert len(world.wire.sent) == 4


async def test_an_item_that_ends_makes_room_for_the_next(world: World) -> None:
    for _ in range(3):
        await world.jobs.create(a_job(count=2))
    await world.dispatcher.dispatch()

    await world.items.failed(world.wire.sent[0].job_id, world.wire.sent[0].item, a_failure(), NOON)

    assert await world.dispatcher.dispatch() == 1


async def test_what_cannot_be_sent_waits_and_is_sent_later_under_a_new_number(world: World) -> None:
    await world.jobs.create(a_job(count=3))
    world.wire.room = 1

    assert await world.dispatcher.dispatch() == 1
    world.wire.room = 1_000
    assert await world.dispatcher.dispatch() == 2

    assert [each.dispatch for each in world.wire.sent] == [1, 2, 2]


async def test_the_users_of_a_crowd_take_turns(world: World) -> None:
    for number in range(5):
        await world.jobs.create(a_job("ada", count=4))
        await world.jobs.create(a_job(f"user-{number}"))

    while await world.dispatcher.dispatch():
        for each in world.wire.sent:
            await world.items.failed(each.job_id, each.item, a_failure(), NOON)

    # One turn for each of the six users, in whatever order, before anybody has a second.
    users = [each.user_id for each in world.wire.sent]
    assert sorted(users[:6]) == ["ada", "user-0", "user-1", "user-2", "user-3", "user-4"]
    assert users[6:] == ["ada"] * 19


async def test_an_item_that_the_queue_has_lost_is_sent_again(world: World) -> None:
    job = await world.jobs.create(a_job(finish_by=NOON + timedelta(hours=2)))
    await world.dispatcher.dispatch()
    world.wire.lost = {Sending(job.id, 0, 1)}

    world.wire.now = NOON + SILENCE + timedelta(seconds=1)
    await world.dispatcher.reap()
    await world.dispatcher.dispatch()

    assert [each.dispatch for each in world.wire.sent] == [1, 2]


async def test_an_item_that_waits_long_in_the_queue_is_not_sent_again(world: World) -> None:
    await world.jobs.create(a_job(finish_by=NOON + timedelta(hours=2)))
    await world.dispatcher.dispatch()

    for _ in range(3):
        world.wire.now += SILENCE + timedelta(seconds=1)
        await world.dispatcher.reap()
        await world.dispatcher.dispatch()

    assert [each.dispatch for each in world.wire.sent] == [1]
    assert not await world.items.silent(world.wire.now, NOON), "it is looked for again only after another silence"


async def test_an_item_whose_dispatcher_died_before_it_was_sent_is_sent_soon(world: World) -> None:
    await world.jobs.create(a_job())
    await world.items.take(1, NOON)

    world.wire.now = NOON + UNSENT + timedelta(seconds=1)
    await world.dispatcher.reap()
    assert await world.dispatcher.dispatch() == 1
    world.wire.now += UNSENT + timedelta(seconds=1)
    await world.dispatcher.reap()

    assert await world.dispatcher.dispatch() == 0, "it was sent, and is not silent yet"


async def test_a_job_past_its_time_fails_and_its_watchers_hear_of_it(world: World) -> None:
    job = await world.jobs.create(a_job())

    world.wire.now = job.created_at + timedelta(hours=2)
    await world.dispatcher.reap()

    ended = await world.jobs.get(job.id)
    assert ended.status is JobStatus.FAILED
    assert ended.failure is not None and ended.failure.reason == "DEADLINE_EXCEEDED"
    assert world.wire.announced == [job.id]


async def test_what_was_taken_is_sent_or_given_back_before_it_is_closed(world: World) -> None:
    await world.jobs.create(a_job(count=3))
    running = asyncio.create_task(world.dispatcher.run())
    world.wire.gate.clear()
    world.dispatcher.wake()
    await world.wire.busy.wait()

    closing = asyncio.create_task(world.dispatcher.close())
    await asyncio.sleep(0)
    world.wire.gate.set()
    await closing

    await running
    assert len(world.wire.sent) == 1, "the one that was on its way"
    taken_again = await world.items.take(10, NOON)
    assert sorted((each.item, each.dispatch) for each in taken_again) == [(1, 2), (2, 2)]


async def test_a_closed_dispatcher_takes_nothing(world: World) -> None:
    await world.jobs.create(a_job())

    await world.dispatcher.close()

    assert await world.dispatcher.dispatch() == 0
    assert len(await world.items.take(10, NOON)) == 1


async def test_it_runs_as_soon_as_it_is_woken(world: World) -> None:
    running = asyncio.create_task(world.dispatcher.run())
    await world.jobs.create(a_job())

    world.dispatcher.wake()
    await asyncio.wait_for(world.wire.busy.wait(), 0.9)  # sooner than its own round

    running.cancel()
    assert len(world.wire.sent) == 1
