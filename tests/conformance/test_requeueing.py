"""Dead letters are requeued once, on both databases, whatever dies between two steps."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import services.generation
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.renders import FileRenders
from services.generation.domain import GenerationJob, IdempotencyKey
from services.generation.idempotency_store import KEPT, OPERATORS_KEPT, forget_old_keys
from services.generation.items_store import ItemStore
from services.generation.letters import DeadLetter, DeadLetterNotFound, WorkItem
from services.generation.limits import Limits
from services.generation.rendering import Copies
from services.generation.requeueing import DeadLetterService
from services.generation.states import JobStatus
from services.generation.store import JobStore
from services.generation.usecases import Deadlines, GenerationService
from tests.builders import NOON, RENDERED, a_failure, a_job, a_render
from tests.crashing import Crash, Fuse, fused

LATER = NOON + timedelta(seconds=1)


@pytest.fixture
def migrations() -> Path:
    return Path(services.generation.__file__).parent / "migrations"


class Letters:
    """The DeadLetters port over a dict."""

    def __init__(self) -> None:
        self.kept: dict[int, DeadLetter] = {}

    async def newest(self, before: int | None, limit: int) -> tuple[Sequence[DeadLetter], int]:
        return list(self.kept.values()), len(self.kept)

    async def get(self, sequence: int) -> DeadLetter:
        if sequence not in self.kept:
            raise DeadLetterNotFound(sequence)
        return self.kept[sequence]

    async def remove(self, sequence: int) -> None:
        self.kept.pop(sequence, None)

    def bury(self, sequence: int, job_id: str) -> None:
        work = WorkItem(job_id, 0, 1, "ada", "request-1", NOON + timedelta(hours=1))
        self.kept[sequence] = DeadLetter(
            sequence, "no", "render", "work.render", 51, "", "", NOON, NOON, work, {}, None, b""
        )


class Others:
    """The other services and the watchers: nothing is refused, nobody listens."""

    async def resolve(self, brand_kit_id: str | None, token: str) -> str:
        assert brand_kit_id is not None
        return brand_kit_id

    async def of_job(self, job_id: str, token: str) -> Sequence[Any]:
        return []

    async def announce(self, job_id: str) -> None: ...

    async def calls_of(self, job_id: str) -> Sequence[Any]:
        return []

    async def sources_of(self, job_id: str) -> dict[int, Any]:
        return {}


class World:
    def __init__(self, database: Database, directory: Path) -> None:
        self.now = LATER
        self.letters = Letters()
        self.jobs, self.items = JobStore(database), ItemStore(database)
        self.renders = FileRenders(directory / "renders")

    def service(self, fuse: Fuse | None = None) -> DeadLetterService:
        """Whose process dies when the fuse burns through."""
        ports: list[Any] = [self.jobs, self.letters, Copies(self.renders)]
        jobs, letters, renders = [fused(port, fuse) for port in ports] if fuse else ports
        others = Others()
        use_cases = GenerationService(
            jobs=jobs,
            calls=others,
            renders=renders,
            brand_kits=others,
            assets=others,
            announcer=others,
            submitted=lambda: None,
            deadlines=Deadlines(timedelta(minutes=10), timedelta(hours=1)),
            # Of ada's, who has more than that: whoever runs the system is not held to it.
            limits=Limits(1, 1),
            clock=self.clock,
        )
        return DeadLetterService(letters=letters, jobs=jobs, items=self.items, service=use_cases, clock=self.clock)

    def clock(self) -> datetime:
        return self.now

    async def a_failed_job(self, *sequences: int) -> GenerationJob:
        """With a dead letter for each sequence, and a picture that was made and not stored."""
        job = await self.jobs.create(a_job(seed=5))
        render = a_render(f"{job.id}.0.png")
        await self.renders.put(render.key, RENDERED)
        for each in await self.items.take(9, LATER):
            await self.items.rendered(each.job_id, each.item, render, LATER)
            await self.items.failed(each.job_id, each.item, a_failure(), LATER)
        for sequence in sequences:
            self.letters.bury(sequence, job.id)
        return await self.jobs.get(job.id)

    async def of_ada(self) -> Sequence[GenerationJob]:
        return (await self.jobs.page("ada", None, 1000, 0, NOON))[0]


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


async def test_a_process_that_dies_at_any_step_makes_one_job_when_it_is_done_again(world: World) -> None:
    for steps in itertools.count():
        old, fuse = await world.a_failed_job(1), Fuse(steps)
        before = len(await world.of_ada())
        with suppress(Crash):
            await world.service(fuse).requeue_dead_letter(1, "token", "request-2")
        if 1 in world.letters.kept:
            await world.service().requeue_dead_letter(1, "token", "request-2")

        assert len(await world.of_ada()) == before + 1, steps
        assert (await world.jobs.get(old.id)) == old and world.letters.kept == {}
        if not fuse.is_burnt:
            break
        world.now += timedelta(seconds=1)

    assert steps > 8


async def test_the_new_job_has_the_same_inputs_and_the_picture_that_was_made(world: World) -> None:
    old = await world.a_failed_job(1)

    new = await world.service().requeue_dead_letter(1, "token", "request-2")

    assert replace(old, id=new.id, status=JobStatus.QUEUED, failure=None) == replace(
        new, progress=old.progress, created_at=old.created_at, updated_at=old.updated_at,
        completed_at=old.completed_at, revision=old.revision,
    )  # fmt: skip
    [dispatch] = await world.items.take(9, LATER + timedelta(seconds=1))
    assert (dispatch.job_id, dispatch.request_id) == (new.id, "request-2")
    assert dispatch.render is not None and await world.renders.get(dispatch.render.key) == RENDERED


async def test_of_two_who_requeue_at_once_the_second_leaves_no_picture_behind(world: World) -> None:
    old = await world.a_failed_job(1, 2)

    made = await asyncio.gather(
        *(world.service().requeue_dead_letter(sequence, "token", "request-2") for sequence in (1, 2))
    )

    assert made[0].id == made[1].id
    kept = await world.renders.keys(timedelta(0))
    assert sorted(key.split(".")[0] for key in kept) == sorted([old.id, made[0].id])


async def test_letters_of_one_job_are_one_new_job_for_as_long_as_letters_are_kept(
    world: World, database: Database
) -> None:
    await world.a_failed_job(1, 2, 3)
    first = await world.service().requeue_dead_letter(1, "token", "request-2")

    for sequence, days in ((2, 2), (3, 59)):
        world.now = LATER + timedelta(days=days)
        await forget_old_keys(database, world.now)
        assert await world.service().requeue_dead_letter(sequence, "token", "request-2") == first

    assert len(await world.of_ada()) == 2


async def test_clients_keys_are_forgotten_after_a_day_and_operators_later(world: World, database: Database) -> None:
    theirs = IdempotencyKey("ada", "requeue", "")
    await world.jobs.create(a_job(), theirs)
    await world.a_failed_job(1)
    await world.service().requeue_dead_letter(1, "token", "request-2")

    assert [await forget_old_keys(database, LATER + age) for age in (KEPT, KEPT, OPERATORS_KEPT)] == [1, 0, 0]
    assert await forget_old_keys(database, LATER + OPERATORS_KEPT + timedelta(seconds=1)) == 1


async def test_a_new_job_that_failed_as_well_is_tried_again_by_a_letter_of_its_own(world: World) -> None:
    await world.a_failed_job(1)
    new = await world.service().requeue_dead_letter(1, "token", "request-2")
    for each in await world.items.take(9, LATER + timedelta(seconds=1)):
        await world.items.failed(each.job_id, each.item, a_failure(), LATER)
    world.letters.bury(2, new.id)

    newer = await world.service().requeue_dead_letter(2, "token", "request-3")

    assert newer.id != new.id and newer.status is JobStatus.QUEUED
    assert len(await world.of_ada()) == 3


async def test_when_the_letters_are_away_nothing_is_changed(world: World) -> None:
    old = await world.a_failed_job(1)

    with pytest.raises(Unavailable):
        await world.service(Fuse(0, Unavailable)).requeue_dead_letter(1, "token", "request-2")

    assert [job.id for job in await world.of_ada()] == [old.id]
