"""Paid calls on both databases: counted across workers, crashes and pauses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.times import now
from services.generation.attempts_store import ItemCalls, item_calls
from services.generation.domain import CallUnderWay, RenderDeferred, RenderFailed, RenderVoid
from services.generation.items_store import ItemStore
from services.generation.store import JobStore
from tests.builders import NOON, a_failure, a_job
from tests.crashing import Fuse, fused

LEASE = timedelta(seconds=60)


@pytest.fixture
def migrations() -> Path:
    return Path(services.generation.__file__).parent / "migrations"


@dataclass
class World:
    database: Database
    job_id: str
    now: datetime = NOON

    def worker(self, model: str = "a-model") -> ItemCalls:
        return ItemCalls(self.database, self.job_id, 0, model, lease=LEASE, clock=lambda: self.now)

    async def states(self) -> list[str]:
        rows = await self.database.fetch("SELECT state FROM attempts ORDER BY n")
        return [row["state"] for row in rows]


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    job = await JobStore(database).create(a_job())
    await ItemStore(database).take(1, NOON)
    yield World(database, job.id)


async def test_an_attempt_is_written_down_before_its_call(world: World) -> None:
    async with world.worker().attempt() as attempt:
        assert await world.states() == ["sending"]
        attempt.paid()

    assert await world.states() == ["paid"]


async def test_an_attempt_that_says_nothing_may_have_been_billed(world: World) -> None:
    with pytest.raises(ConnectionError):
        async with world.worker().attempt():
            raise ConnectionError

    assert await world.states() == ["unknown"]


async def test_after_two_calls_that_may_have_been_billed_nobody_calls_again(world: World) -> None:
    worker = world.worker()
    for _ in range(2):
        async with worker.attempt():
            pass
    world.now += LEASE

    with pytest.raises(RenderFailed) as refusal:
        await world.worker().attempt().__aenter__()

    assert refusal.value.failure.reason == "OUTCOME_UNKNOWN"
    assert await world.states() == ["unknown", "unknown"]


async def test_calls_known_to_be_unpaid_cost_nothing_of_the_budget(world: World) -> None:
    for _ in range(5):
        async with world.worker().attempt() as attempt:
            attempt.unpaid()

    async with world.worker().attempt() as attempt:
        attempt.paid()

    assert await world.states() == ["unpaid"] * 5 + ["paid"]


async def test_between_a_served_call_and_its_picture_no_other_worker_calls(world: World) -> None:
    async with world.worker().attempt() as attempt:
        attempt.paid()

    with pytest.raises(CallUnderWay):
        await world.worker().attempt().__aenter__()
    world.now += LEASE  # the worker died before it kept the picture
    async with world.worker().attempt() as attempt:
        attempt.paid()

    assert await world.states() == ["paid", "paid"]


async def test_a_worker_that_lives_keeps_others_away_for_as_long_as_it_takes(database: Database, world: World) -> None:
    short = timedelta(seconds=0.3)
    async with item_calls(database, world.job_id, 0, "a-model", lease=short, clock=now) as calls:
        async with calls.attempt() as attempt:
            attempt.paid()
        await asyncio.sleep(1)  # three leases: the time is what is tested
        other = ItemCalls(database, world.job_id, 0, "a-model", lease=short, clock=now)
        with pytest.raises(CallUnderWay):
            await other.attempt().__aenter__()


async def test_while_one_worker_calls_another_waits_for_the_lease(world: World) -> None:
    async with world.worker().attempt():
        with pytest.raises(CallUnderWay) as refusal:
            await world.worker().attempt().__aenter__()

    assert 0 < refusal.value.seconds <= LEASE.total_seconds()


async def test_of_many_workers_with_one_item_one_calls(world: World) -> None:
    entered = asyncio.Event()

    async def call() -> str:
        async with world.worker().attempt() as attempt:
            entered.set()
            await release.wait()
            attempt.paid()
            return "called"

    release = asyncio.Event()
    calls = [asyncio.create_task(call()) for _ in range(10)]
    await entered.wait()
    done, _ = await asyncio.wait(calls, timeout=10, return_when=asyncio.FIRST_EXCEPTION)
    while len(done) < 9:
        more, _ = await asyncio.wait(set(calls) - done, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        done |= more
    release.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert outcomes.count("called") == 1
    assert sum(isinstance(outcome, CallUnderWay) for outcome in outcomes) == 9
    assert await world.states() == ["paid"]


async def test_a_worker_that_died_in_its_call_costs_one_of_two(world: World) -> None:
    dead = world.worker().attempt()
    await dead.__aenter__()

    world.now += LEASE
    async with world.worker().attempt() as attempt:
        assert await world.states() == ["unknown", "sending"]
        attempt.paid()

    world.now += LEASE
    with pytest.raises(RenderFailed):
        await world.worker().attempt().__aenter__()


async def test_a_worker_that_slept_through_its_lease_still_says_how_its_call_ended(world: World) -> None:
    slow = world.worker().attempt()
    attempt = await slow.__aenter__()
    world.now += LEASE
    async with world.worker().attempt() as other:
        other.paid()

    attempt.unpaid()
    await slow.__aexit__(None, None, None)

    assert await world.states() == ["unpaid", "paid"]


async def test_a_closed_gate_stops_every_worker_of_that_model_until_it_opens(world: World) -> None:
    await world.worker("busy").close_gate(30)
    await world.worker("busy").close_gate(10)  # the longer request stands

    with pytest.raises(RenderDeferred) as refusal:
        await world.worker("busy").attempt().__aenter__()
    async with world.worker("idle").attempt() as attempt:
        attempt.unpaid()
    world.now += timedelta(seconds=30)
    async with world.worker("busy").attempt() as attempt:
        attempt.unpaid()

    assert refusal.value.seconds == pytest.approx(30)


@pytest.mark.parametrize("steps", [0, 1], ids=["before it is written", "before that is heard"])
async def test_a_call_is_remembered_although_the_database_was_away_when_it_ended(world: World, steps: int) -> None:
    fuse = Fuse(steps, Unavailable)
    worker = ItemCalls(fused(world.database, fuse), world.job_id, 0, "a-model", lease=LEASE, clock=lambda: world.now)

    async with worker.attempt() as attempt:
        attempt.paid()

    assert fuse.is_burnt
    assert await world.states() == ["paid"]


async def test_an_item_that_ended_is_not_paid_for(world: World) -> None:
    await ItemStore(world.database).failed(world.job_id, 0, a_failure(), NOON)

    with pytest.raises(RenderVoid):
        await world.worker().attempt().__aenter__()

    assert await world.states() == []
