"""What generation needs from the outside, in its own words."""

from __future__ import annotations

from collections.abc import Sequence, Set
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from services.generation.domain import (
    Asset,
    Dispatch,
    FailedItem,
    GenerationJob,
    IdempotencyKey,
    NewJob,
    PastCall,
    Render,
    Sending,
    Started,
    Usage,
)
from services.generation.limits import Limits, Load
from services.generation.sources import PromptSource
from services.generation.states import Failure, ItemStanding, JobStatus
from services.generation.variations import StoredItem


class Jobs(Protocol):
    """Every job and its items. Each method is one transaction; none can be half done."""

    async def create(self, job: NewJob, key: IdempotencyKey | None = None) -> GenerationJob:
        """Writes a job, queued, with all its items waiting in the user's next turns.

        With a key that stands for a job already it must write nothing and answer that job as it stands, also when
        both come at once. Must raise IdempotencyKeyReused when the key stands for another request.
        """
        ...

    async def create_within(
        self, limits: Limits, job: NewJob, key: IdempotencyKey | None = None
    ) -> tuple[GenerationJob, Load]:
        """As `create`, and how the user stands then; must raise what `Limits.check` does, with nothing written.

        However many of one user's come at once, on all replicas, none may be written beyond the limits, and other
        users' must not wait for them. A key that stands for a job already needs no room and takes none.
        """
        ...

    async def load(self, user_id: str, limits: Limits, now: datetime) -> Load:
        """How much of the limits a user has used up; must not cost more for jobs that have ended."""
        ...

    async def created_as(self, key: IdempotencyKey, now: datetime) -> GenerationJob | None:
        """The job that a key stands for, as it stands; must raise IdempotencyKeyReused as `create` does."""
        ...

    async def get(self, job_id: str) -> GenerationJob:
        """Must raise JobNotFound if there is none."""
        ...

    async def page(
        self, user_id: str, status: JobStatus | None, limit: int, offset: int, now: datetime
    ) -> tuple[Sequence[GenerationJob], int]:
        """A user's jobs, newest first, and how many match on all pages; must not cost more for jobs that are old."""
        ...

    async def failed_items(self, job_id: str) -> Sequence[FailedItem]:
        """The variations that were not made, in order."""
        ...

    async def usage(self, user_id: str, since: datetime) -> Usage:
        """What a user has used since then, and the jobs under way now."""
        ...

    async def stored_items(self, job_id: str) -> Sequence[StoredItem]:
        """The variations that are stored, in order."""
        ...

    async def cancel(self, job_id: str, now: datetime) -> GenerationJob:
        """Ends a job as cancelled, with all its items, and marks what is stored of it to be discarded.

        Must raise InvalidStateTransition when it has ended, and JobNotFound.
        """
        ...

    async def move(
        self, job_id: str, target: JobStatus, progress: int, failure: Failure | None, now: datetime
    ) -> GenerationJob:
        """Moves a job to another status.

        Of two writers racing only one may win: must raise InvalidStateTransition for the other, and JobNotFound.
        A job that ends takes its unfinished items with it.
        """
        ...


class PastCalls(Protocol):
    """The calls to image APIs that were made, and what they were made with."""

    async def calls_of(self, job_id: str) -> Sequence[PastCall]:
        """By item, then in order."""
        ...

    async def sources_of(self, job_id: str) -> dict[int, PromptSource]:
        """What the prompts of a job's pictures were written from, by item; without those of which that is not known."""
        ...


class Items(Protocol):
    """The items as work to be done: one variation each. All effects are idempotent by (job, item).

    All but `defer` and `spent_render` must raise JobNotFound for a job, or a variation of one, that is not there.
    """

    async def standing(self, job_id: str, item: int) -> ItemStanding:
        """How an item stands."""
        ...

    async def start(
        self, job_id: str, item: int, dispatch: int, prompt: str, now: datetime, source: PromptSource | None = None
    ) -> Started | None:
        """Marks an item as being rendered and its job as processing, and notes what its prompt was written from.

        Once there is a picture, what is noted must stay what that was made with. Must return None when the item has
        ended, or was dispatched again since: this delivery is then void.
        """
        ...

    async def rendered(
        self, job_id: str, item: int, render: Render, now: datetime, source: PromptSource | None = None
    ) -> Render | None:
        """Remembers a finished picture and answers the one that counts: the first. None when the item has ended.

        With it, what its prompt was written from: the item may have been begun again since, with another one.
        """
        ...

    async def spent_render(self, job_id: str, item: int) -> Render | None:
        """The picture of an item that is stored; None for any other item, whose picture a retry may still need."""
        ...

    async def defer(self, job_id: str, item: int, dispatch: int, until: datetime, reason: str | None) -> None:
        """Puts an item back to wait, unless it moved on. `reason` is why, should its time run out before."""
        ...

    async def stored(self, job_id: str, item: int, asset_id: str, now: datetime) -> bool:
        """Ends an item well, and its job with the last of them; False when it had ended before.

        An asset that comes when its item has failed is marked to be discarded.
        """
        ...

    async def failed(
        self, job_id: str, item: int, failure: Failure, now: datetime, *, dispatch: int | None = None
    ) -> bool:
        """Ends an item badly, and its job with the last of them; False when it had ended before.

        With `dispatch`, only what went wrong on that way: it must not end an item that was sent again since.
        """
        ...


class Outbox(Protocol):
    """The items as messages to be sent: what is committed is sent, and nothing else."""

    async def take(self, window: int, now: datetime) -> Sequence[Dispatch]:
        """Marks as dispatched, lowest turn first, what the window has room for. Racers must not overshoot it."""
        ...

    async def give_back(self, sendings: Sequence[Sending]) -> None:
        """Puts items back that are not in the queue, unless they have moved on."""
        ...

    async def sent(self, sendings: Sequence[Sending]) -> None:
        """Remembers that these are surely in the queue."""
        ...

    async def silent(self, since: datetime, unsent_since: datetime) -> Sequence[Sending]:
        """Items that were dispatched and not heard of since.

        Those that may never have been sent, because their dispatcher died, are silent from `unsent_since` on.
        """
        ...

    async def heard_of(self, sendings: Sequence[Sending], now: datetime) -> None:
        """Remembers that these are in the queue at this moment, unless they have moved on."""
        ...

    async def overdue(self, now: datetime, limit: int) -> Sequence[tuple[str, int, str]]:
        """Items past `finish_by`, or of jobs past `start_by` with nothing on its way: job, item and the reason.

        The reason must be STORAGE_ERROR for what was made in time and is on its way to be stored.
        """
        ...


class RenderNames(Protocol):
    """Which renders are spoken for."""

    async def needed_renders(self, keys: Sequence[str]) -> Set[str]:
        """Those of these keys that an item names which is not stored: it, or its retry, comes for them."""
        ...


class RenderCopies(Protocol):
    """Pictures that were made for a job that failed, for the job that tries again."""

    async def copy(self, render: Render, job_id: str, item: int) -> Render | None:
        """The same picture under a key of the new item's; None when it is not there any more."""
        ...

    async def remove(self, render: Render) -> None:
        """A copy is not needed after all."""
        ...


class Discards(Protocol):
    """Assets that nobody is to see."""

    async def waiting(self, limit: int) -> Sequence[str]:
        """Ids of assets that are to be deleted."""
        ...

    async def done(self, asset_id: str) -> None:
        """It is deleted, and need not be remembered."""
        ...


class AssetRemoval(Protocol):
    """The storage service, as far as discarding needs it."""

    async def remove(self, asset_id: str) -> None:
        """Deletes an asset, or finds it deleted; must raise Unavailable when that is not sure."""
        ...


class BrandKits(Protocol):
    """The prompt service, as far as accepting a job needs it."""

    async def resolve(self, brand_kit_id: str | None, token: str) -> str:
        """The id of the kit to use: the one given or else the caller's active one.

        Must raise BrandKitNotFound, NotOwner or NoActiveBrandKit, or Unavailable when there is no answer in time.
        """
        ...


class Assets(Protocol):
    """The storage service, as far as showing a job needs it."""

    async def of_job(self, job_id: str, token: str) -> Sequence[Asset]:
        """What of a job can be read, in any order; must raise Unavailable when there is no answer."""
        ...


class Announcer(Protocol):
    """Tells watchers that a job has changed."""

    async def announce(self, job_id: str) -> None:
        """Called after the commit; may be lost, so watchers also look for themselves."""
        ...


class Wakeup(Protocol):
    """A change that somebody waits for."""

    async def wait(self, timeout: float) -> bool:
        """True when there was a change, False after `timeout` seconds without. Must raise Unavailable at shutdown."""
        ...


class Watchers(Protocol):
    """Where a watcher hears of changes to one job."""

    def attach(self, job_id: str) -> AbstractContextManager[Wakeup]:
        """From here on, no change to the job goes unheard."""
        ...
