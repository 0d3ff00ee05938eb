"""The stream of a job: the state first, then every change, a terminal event last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.auth import Caller
from chassis.database import migrate, open_database
from chassis.errors import NotOwner, Unavailable
from services.generation.domain import Asset, GenerationJob, PastCall, Render
from services.generation.limits import Limits
from services.generation.sources import PromptSource
from services.generation.states import JobStatus
from services.generation.store import JobStore
from services.generation.usecases import Deadlines, GenerationService
from services.generation.watching import Change, Heartbeat, JobWatchers, watch_job
from tests.builders import NOON, a_job
from tests.crashing import Fuse, fused

ADA = Caller(user_id="ada", is_service=False, tier="free", token="a token")
LATER = NOON + timedelta(seconds=1)


class Elsewhere:
    """Other replicas, none of which watches; kits, assets, calls and renders, of which there are none."""

    async def announce(self, job_id: str) -> None: ...

    async def resolve(self, brand_kit_id: str | None, token: str) -> str:
        return brand_kit_id or "the active one"

    async def of_job(self, job_id: str, token: str) -> Sequence[Asset]:
        return []

    async def calls_of(self, job_id: str) -> Sequence[PastCall]:
        return []

    async def sources_of(self, job_id: str) -> dict[int, PromptSource]:
        return {}

    async def copy(self, render: Render, job_id: str, item: int) -> Render | None:
        return None

    async def remove(self, render: Render) -> None: ...


@dataclass
class World:
    jobs: JobStore
    service: GenerationService
    watchers: JobWatchers
    away: Fuse
    """When it burns through, the service's next look at the database fails, and only that one."""

    def watch(self, job: GenerationJob, after: int | None = None) -> AsyncIterator[Heartbeat | Change]:
        return watch_job(self.service, self.watchers, ADA, job.id, after)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await open_database(f"sqlite://{tmp_path}/test.db", schema="generation")
    await migrate(database, Path(services.generation.__file__).parent / "migrations")
    elsewhere, jobs = Elsewhere(), JobStore(database)
    watchers = JobWatchers(elsewhere)
    fuse = Fuse(1_000_000, Unavailable)
    service = GenerationService(
        jobs=fused(jobs, fuse),
        calls=elsewhere,
        renders=elsewhere,
        brand_kits=elsewhere,
        assets=elsewhere,
        announcer=watchers,
        submitted=lambda: None,
        deadlines=Deadlines(timedelta(minutes=10), timedelta(hours=1)),
        limits=Limits(),
        clock=lambda: LATER,
    )
    yield World(jobs, service, watchers, fuse)
    await database.close()


async def next_event(stream: AsyncIterator[Heartbeat | Change]) -> Heartbeat | Change:
    async with asyncio.timeout(5):
        return await anext(stream)


async def test_it_starts_with_the_state_and_follows_every_change_to_the_end(world: World) -> None:
    job = await world.jobs.create(a_job())
    stream = world.watch(job)

    seen = [await next_event(stream)]
    for status, progress in ((JobStatus.PROCESSING, 20), (JobStatus.COMPLETED, 100)):
        await world.service.update_job_status(job.id, status, progress)
        seen.append(await next_event(stream))

    assert [event.job.status for event in seen if isinstance(event, Change)] == ["queued", "processing", "completed"]
    with pytest.raises(StopAsyncIteration):
        await next_event(stream)


async def test_a_change_made_elsewhere_is_seen_when_it_is_announced(world: World) -> None:
    job = await world.jobs.create(a_job())
    stream = world.watch(job)
    await next_event(stream)

    waiting = asyncio.ensure_future(anext(stream))
    await world.jobs.move(job.id, JobStatus.PROCESSING, 5, None, LATER)
    world.watchers.ring(job.id)

    event = await asyncio.wait_for(waiting, 5)
    assert isinstance(event, Change) and event.job.progress == 5


async def test_a_change_between_the_first_look_and_the_wait_is_not_missed(world: World) -> None:
    job = await world.jobs.create(a_job())
    stream = world.watch(job)
    await next_event(stream)

    await world.service.update_job_status(job.id, JobStatus.PROCESSING)

    assert isinstance(await next_event(stream), Change)


async def test_an_unchanged_job_starts_with_a_heartbeat(world: World) -> None:
    job = await world.jobs.create(a_job())

    assert await next_event(world.watch(job, after=job.revision)) == Heartbeat(job.revision)


async def test_a_job_that_moved_on_starts_with_its_state(world: World) -> None:
    job = await world.jobs.create(a_job())
    moved = await world.service.update_job_status(job.id, JobStatus.PROCESSING)

    event = await next_event(world.watch(job, after=job.revision))

    assert isinstance(event, Change) and event.job == moved


async def test_an_ended_job_always_ends_its_stream_with_the_end(world: World) -> None:
    job = await world.jobs.create(a_job())
    await world.service.update_job_status(job.id, JobStatus.PROCESSING)
    ended = await world.service.update_job_status(job.id, JobStatus.FAILED, error_message="No.")

    events = [event async for event in world.watch(job, after=ended.revision)]

    assert events == [Heartbeat(ended.revision), Change(ended, [])]


async def test_a_stream_that_has_begun_lives_through_an_outage(world: World) -> None:
    job = await world.jobs.create(a_job())
    stream = world.watch(job)
    await next_event(stream)

    world.away.burn_after(0)
    moved = await world.jobs.move(job.id, JobStatus.PROCESSING, 5, None, LATER)
    world.watchers.ring(job.id)

    assert await next_event(stream) == Heartbeat(job.revision)
    assert await next_event(stream) == Change(moved, [])


async def test_a_stream_that_has_not_begun_says_that_the_database_is_away(world: World) -> None:
    job = await world.jobs.create(a_job())
    world.away.burn_after(0)

    with pytest.raises(Unavailable):
        await next_event(world.watch(job, after=job.revision))


async def test_somebody_elses_job_cannot_be_watched(world: World) -> None:
    job = await world.jobs.create(a_job("grace"))

    with pytest.raises(NotOwner):
        await next_event(world.watch(job))


async def test_a_service_that_stops_sends_its_watchers_elsewhere(world: World) -> None:
    job = await world.jobs.create(a_job())
    stream = world.watch(job)
    await next_event(stream)

    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    await world.watchers.close()

    with pytest.raises(Unavailable):
        await asyncio.wait_for(waiting, 5)


async def test_a_thousand_watchers_leave_nothing_behind(world: World) -> None:
    job = await world.jobs.create(a_job())
    streams = [world.watch(job) for _ in range(1000)]
    for stream in streams:
        await next_event(stream)

    waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await world.service.update_job_status(job.id, JobStatus.PROCESSING)
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]

    assert world.watchers.is_idle


async def test_a_change_that_is_told_twice_is_one_event(world: World) -> None:
    job = await world.jobs.create(a_job())
    stream = world.watch(job)
    await next_event(stream)
    await world.service.update_job_status(job.id, JobStatus.PROCESSING)
    await next_event(stream)

    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    world.watchers.ring(job.id)
    await asyncio.sleep(0)
    await world.service.update_job_status(job.id, JobStatus.FAILED)

    event = await asyncio.wait_for(waiting, 5)
    assert isinstance(event, Change) and event.job.status is JobStatus.FAILED
