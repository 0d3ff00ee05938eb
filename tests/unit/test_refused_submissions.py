"""A submission beyond a limit is refused early, costs others nothing, and leaves nothing; its twin is not refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import services.generation
from chassis.auth import Caller
from chassis.database import Database, migrate, open_database
from chassis.errors import Quota, Unavailable
from chassis.renders import FileRenders
from services.generation.domain import Asset, AssetType, GenerationJob, IdempotencyKey, PastCall
from services.generation.items_store import ItemStore
from services.generation.limits import Limits
from services.generation.refusals import TooManyActiveJobs, TooManySubmits
from services.generation.rendering import Copies
from services.generation.sources import PromptSource
from services.generation.store import JobStore
from services.generation.usecases import Deadlines, GenerationService, Order
from tests.builders import NOON, RENDERED, a_failure, a_job, a_render

ADA = Caller(user_id="ada", is_service=False, tier="free", token="a token")
LATER = NOON + timedelta(seconds=30)
TAP = IdempotencyKey("ada", "tap", "0" * 64)
ORDER = Order(AssetType.BANNER, "a kit", "", 1, "", None)
ONE_AT_ONCE, ONE_A_MINUTE = Limits(active_jobs=1), Limits(submits_per_minute=1)


@dataclass
class Elsewhere:
    """The other services; something may happen while the prompt service thinks."""

    asked: list[str | None] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def resolve(self, brand_kit_id: str | None, token: str) -> str:
        self.asked.append(brand_kit_id)
        if self.meanwhile is not None:
            await self.meanwhile()
        return brand_kit_id or "the active one"

    async def announce(self, job_id: str) -> None: ...

    async def of_job(self, job_id: str, token: str) -> Sequence[Asset]:
        return []

    async def calls_of(self, job_id: str) -> Sequence[PastCall]:
        return []

    async def sources_of(self, job_id: str) -> dict[int, PromptSource]:
        return {}


class TwinCommits(JobStore):
    """Just after a key was looked up, another process creates a job under it."""

    async def created_as(self, key: IdempotencyKey, now: datetime) -> GenerationJob | None:
        found = await super().created_as(key, now)
        await self.create(a_job(created_at=LATER), key)
        return found


@dataclass
class World:
    database: Database
    jobs: JobStore
    elsewhere: Elsewhere
    directory: Path

    def service(self, limits: Limits, jobs: JobStore | None = None) -> GenerationService:
        return GenerationService(
            jobs=jobs or self.jobs,
            calls=self.elsewhere,
            renders=Copies(FileRenders(self.directory)),
            brand_kits=self.elsewhere,
            assets=self.elsewhere,
            announcer=self.elsewhere,
            submitted=lambda: None,
            deadlines=Deadlines(timedelta(minutes=10), timedelta(hours=1)),
            limits=limits,
            clock=lambda: LATER,
        )

    async def a_job_that_was_not_stored(self) -> GenerationJob:
        """It failed, and its render is still there; submitted hours before."""
        job = await self.jobs.create(a_job(created_at=NOON - timedelta(hours=2)))
        items = ItemStore(self.database)
        await FileRenders(self.directory).put(a_render().key, RENDERED)
        await items.take(1, LATER)
        await items.rendered(job.id, 0, a_render(), LATER)
        await items.failed(job.id, 0, a_failure(reason="STORAGE_ERROR", stage="store"), LATER)
        return await self.jobs.get(job.id)

    def renders(self) -> list[str]:
        return [path.name for path in self.directory.iterdir() if path.is_file()]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await open_database(f"sqlite://{tmp_path}/test.db", schema="generation")
    await migrate(database, Path(services.generation.__file__).parent / "migrations")
    yield World(database, JobStore(database), Elsewhere(), tmp_path / "renders")
    await database.close()


@pytest.mark.parametrize(("limits", "error"), [(ONE_AT_ONCE, TooManyActiveJobs), (ONE_A_MINUTE, TooManySubmits)])
async def test_where_there_is_no_room_nobody_else_is_asked(
    world: World, limits: Limits, error: type[Exception]
) -> None:
    failed = await world.a_job_that_was_not_stored()
    await world.jobs.create(a_job(created_at=LATER))

    service = world.service(limits)

    for submission in (
        service.create_job("ada", "a token", ORDER, "request-1"),
        service.retry_job(ADA, failed.id, "request-1"),
    ):
        with pytest.raises(error):
            await submission

    assert world.elsewhere.asked == []
    assert world.renders() == [a_render().key]
    assert (await world.jobs.page("ada", None, 20, 0, NOON))[1] == 2


async def test_a_retry_that_lost_the_last_place_to_another_leaves_no_render(world: World) -> None:
    failed = await world.a_job_that_was_not_stored()
    world.elsewhere.meanwhile = lambda: world.jobs.create(a_job(created_at=LATER))

    with pytest.raises(TooManyActiveJobs):
        await world.service(ONE_AT_ONCE).retry_job(ADA, failed.id, "request-1")

    assert world.renders() == [a_render().key]
    assert (await world.jobs.page("ada", None, 20, 0, NOON))[1] == 2


async def test_a_retry_that_has_its_place_keeps_its_copy(world: World) -> None:
    failed = await world.a_job_that_was_not_stored()

    retried = await world.service(ONE_AT_ONCE).retry_job(ADA, failed.id, "request-1")

    assert len(world.renders()) == 2 and any(name.startswith(retried.job.id) for name in world.renders())


async def test_a_request_whose_twin_took_the_last_place_meanwhile_is_answered(world: World) -> None:
    service = world.service(ONE_A_MINUTE, TwinCommits(world.database))

    accepted = await service.create_job("ada", "a token", ORDER, "request-1", TAP)

    [only] = (await world.jobs.page("ada", None, 20, 0, NOON))[0]
    assert accepted.job.id == only.id
    assert accepted.quota is not None and accepted.quota.remaining == 0


async def test_a_request_that_could_not_be_accepted_just_then_leaves_its_key_free(world: World) -> None:
    async def away() -> None:
        raise Unavailable("the prompt service does not answer")

    service, order = world.service(ONE_A_MINUTE), replace(ORDER, brand_kit_id=None)
    world.elsewhere.meanwhile = away
    with pytest.raises(Unavailable):
        await service.create_job("ada", "a token", order, "request-1", TAP)

    world.elsewhere.meanwhile = None
    accepted = await service.create_job("ada", "a token", order, "request-1", TAP)

    assert (accepted.job.brand_kit_id, accepted.quota) == ("the active one", Quota(1, 0, 60))
