"""What a caller can do with jobs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chassis.auth import Caller
from chassis.errors import Exhausted, NotOwner, Quota, Unavailable
from services.generation import failures
from services.generation.domain import (
    Asset,
    AssetType,
    FailedItem,
    GenerationJob,
    IdempotencyKey,
    NewItem,
    NewJob,
    PastCall,
    Usage,
)
from services.generation.limits import Limits, Load
from services.generation.ports import Announcer, Assets, BrandKits, Jobs, PastCalls, RenderCopies
from services.generation.sources import PromptSource
from services.generation.states import InvalidStateTransition, JobStatus
from services.generation.variations import in_order_of_palette

MAX_SEED = 2**31 - 1
"""Image APIs take 32 bits, signed."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asks to have made."""

    asset_type: AssetType
    brand_kit_id: str | None
    custom_prompt: str
    count: int
    template_version: str
    seed: int | None


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long a job may take."""

    start_by: timedelta
    finish_by: timedelta


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job as it was accepted, and what is left of its user's submissions; no quota: they are not limited."""

    job: GenerationJob
    quota: Quota | None


class GenerationService:
    """Creates jobs and says how they stand."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        calls: PastCalls,
        renders: RenderCopies,
        brand_kits: BrandKits,
        assets: Assets,
        announcer: Announcer,
        submitted: Callable[[], None],
        deadlines: Deadlines,
        limits: Limits,
        clock: Callable[[], datetime],
    ) -> None:
        self._jobs = jobs
        self._calls = calls
        self._renders = renders
        self._brand_kits = brand_kits
        self._assets = assets
        self._announcer = announcer
        self._submitted = submitted
        self._deadlines = deadlines
        self._limits = limits
        self._clock = clock

    async def create_job(
        self, user_id: str, token: str, order: Order, request_id: str, key: IdempotencyKey | None = None
    ) -> Accepted:
        """Commits a job and lets the dispatcher know; with a key that stands for one, answers as the first time.

        Raises:
            IdempotencyKeyReused, BrandKitNotFound, NotOwner, NoActiveBrandKit, Unavailable: nothing was written.
            TooManySubmits, TooManyActiveJobs: nothing was written, and the key is still free.
        """
        # Before the key is looked up: else the same request, committed in between, would have this one refused.
        load = await self._load(user_id)
        if key is not None and (earlier := await self._jobs.created_as(key, self._clock())) is not None:
            return Accepted(earlier.as_accepted(), self._limits.quota(load))
        self._limits.check(load)
        brand_kit_id = await self._brand_kit(token, order.brand_kit_id)
        job_id = str(uuid.uuid4())
        seed = uuid.UUID(job_id).int if order.seed is None else order.seed
        items = [NewItem((seed + number) % MAX_SEED) for number in range(order.count)]
        order = replace(order, brand_kit_id=brand_kit_id)
        return await self._submit(job_id, user_id, order, items, request_id, self._limits, key)

    async def cancel_job(self, caller: Caller, job_id: str) -> GenerationJob:
        """Raises JobNotFound, NotOwner or InvalidStateTransition."""
        await self.get_job(caller, job_id)
        job = await self._jobs.cancel(job_id, self._clock())
        await self._announcer.announce(job_id)
        self._submitted()
        return job

    async def retry_job(self, caller: Caller, job_id: str, request_id: str) -> Accepted:
        """A new job for what was not made; what was rendered and not stored is not rendered again.

        Raises:
            JobNotFound, NotOwner, InvalidStateTransition: nothing was written.
            BrandKitNotFound, Unavailable, TooManySubmits, TooManyActiveJobs: nothing was written.
        """
        job = await self.get_job(caller, job_id)
        if not job.status.may_be_tried_again:
            raise InvalidStateTransition(job_id, job.status, JobStatus.QUEUED)
        self._limits.check(await self._load(job.user_id))
        return await self._try_again(job, caller.token, request_id, self._limits)

    async def retry_for_owner(
        self, job: GenerationJob, token: str, request_id: str, key: IdempotencyKey
    ) -> GenerationJob:
        """As `retry_job`, by those who run the system: no limit of the owner's holds, and the key makes it one job.

        Raises:
            BrandKitNotFound, Unavailable: nothing was written.
        """
        return (await self._try_again(job, token, request_id, Limits(), key)).job

    async def _try_again(
        self, job: GenerationJob, token: str, request_id: str, limits: Limits, key: IdempotencyKey | None = None
    ) -> Accepted:
        await self._brand_kit(token, job.brand_kit_id)
        retry_id = str(uuid.uuid4())
        items = [
            await self._new_item(item, retry_id, number)
            for number, item in enumerate(await self._jobs.failed_items(job.id))
        ]
        order = Order(job.asset_type, job.brand_kit_id, job.custom_prompt, len(items), job.template_version, seed=None)
        try:
            accepted = await self._submit(retry_id, job.user_id, order, items, request_id, limits, key)
        except Exhausted:  # another submission took the last room meanwhile
            await self._remove_renders(items)
            raise
        if accepted.job.id != retry_id:  # another request under the same key came first
            await self._remove_renders(items)
        return accepted

    async def _new_item(self, item: FailedItem, retry_id: str, number: int) -> NewItem:
        render = await self._renders.copy(item.render, retry_id, number) if item.render else None
        return NewItem(item.seed, render, item.source if render else None)

    async def _remove_renders(self, items: Sequence[NewItem]) -> None:
        for item in items:
            if item.render:
                await self._renders.remove(item.render)

    async def _load(self, user_id: str) -> Load:
        """Read first, so that a refusal is cheap; what comes in is counted again, where nobody can race it."""
        now = self._clock()
        return await self._jobs.load(user_id, self._limits, now) if self._limits else Load(now)

    async def _submit(
        self,
        job_id: str,
        user_id: str,
        order: Order,
        items: Sequence[NewItem],
        request_id: str,
        limits: Limits,
        key: IdempotencyKey | None = None,
    ) -> Accepted:
        assert order.brand_kit_id is not None
        now = self._clock()
        job = NewJob(
            id=job_id,
            user_id=user_id,
            brand_kit_id=order.brand_kit_id,
            asset_type=order.asset_type,
            items=tuple(items),
            custom_prompt=order.custom_prompt,
            template_version=order.template_version,
            request_id=request_id,
            created_at=now,
            start_by=now + self._deadlines.start_by,
            finish_by=now + self._deadlines.finish_by,
        )
        if limits:
            created, load = await self._jobs.create_within(limits, job, key)
        else:
            created, load = await self._jobs.create(job, key), Load(now)
        self._submitted()
        return Accepted(created.as_accepted(), limits.quota(load))

    async def _brand_kit(self, token: str, brand_kit_id: str | None) -> str:
        try:
            return await self._brand_kits.resolve(brand_kit_id, token)
        except Unavailable:
            # With an id the queue can decide later; without one there is nothing to write down.
            if brand_kit_id is None:
                raise
            return brand_kit_id

    async def get_job(self, caller: Caller, job_id: str) -> GenerationJob:
        """Raises JobNotFound or NotOwner."""
        job = await self._jobs.get(job_id)
        if not caller.is_service and job.user_id != caller.user_id:
            raise NotOwner("this job belongs to somebody else", metadata={"job_id": job_id})
        return job

    async def list_jobs(
        self, user_id: str, status: JobStatus | None, limit: int, offset: int
    ) -> tuple[Sequence[GenerationJob], int]:
        """A user's jobs, newest first, and how many match on all pages."""
        return await self._jobs.page(user_id, status, limit, offset, self._clock())

    async def assets_of(self, caller: Caller, job: GenerationJob) -> Sequence[Asset]:
        """What of a job can be read; storage is asked only when there is something.

        In the order of its variations, so that they stay where they are while others come; once it has ended, the
        nearest to the brand's colours first.
        """
        if not job.has_assets:
            return []
        items = await self._jobs.stored_items(job.id)
        assets = {asset.id: asset for asset in await self._assets.of_job(job.id, caller.token)}
        ordered = in_order_of_palette(items) if job.status.is_terminal else items
        return [assets[item.asset_id] for item in ordered if item.asset_id in assets]

    async def get_job_assets(self, caller: Caller, job_id: str) -> Sequence[Asset]:
        """Raises JobNotFound or NotOwner."""
        return await self.assets_of(caller, await self.get_job(caller, job_id))

    async def get_usage(self, user_id: str) -> Usage:
        """What a user has used in this calendar month, UTC."""
        month = self._clock().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return await self._jobs.usage(user_id, month)

    async def list_attempts(self, job_id: str) -> tuple[Sequence[PastCall], dict[int, PromptSource]]:
        """The calls made for a job, and, by item, what their prompts were written from. Raises JobNotFound."""
        await self._jobs.get(job_id)
        return await self._calls.calls_of(job_id), await self._calls.sources_of(job_id)

    async def update_job_status(
        self, job_id: str, status: JobStatus, progress: int = 0, error_message: str | None = None
    ) -> GenerationJob:
        """Moves a job from outside the pipeline. Raises JobNotFound or InvalidStateTransition."""
        failure = None
        if status in (JobStatus.FAILED, JobStatus.PARTIAL):
            failure = failures.failure("INTERNAL")
            failure = replace(failure, message=error_message) if error_message else failure
        if status in (JobStatus.COMPLETED, JobStatus.PARTIAL):
            progress = 100
        elif progress == 100:
            progress = 99  # 100 is said only together with a good end
        job = await self._jobs.move(job_id, status, progress, failure, self._clock())
        await self._announcer.announce(job_id)
        return job
