"""What the people who run the system can do about dead letters."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from services.generation.domain import OPERATORS, GenerationJob, IdempotencyKey
from services.generation.letters import DeadLetter, NothingToRequeue, WorkItem
from services.generation.ports import Items, Jobs
from services.generation.refusals import JobNotFound
from services.generation.states import ItemStanding, JobStatus
from services.generation.usecases import GenerationService

log = logging.getLogger(__name__)


class DeadLetters(Protocol):
    """Where dead letters are kept. Each method must raise Unavailable while that is away."""

    async def newest(self, before: int | None, limit: int) -> tuple[Sequence[DeadLetter], int]:
        """The newest ones with a sequence below `before`, newest first; and how many there are in all."""
        ...

    async def get(self, sequence: int) -> DeadLetter:
        """Must raise DeadLetterNotFound."""
        ...

    async def remove(self, sequence: int) -> None:
        """Must succeed when it is gone already."""
        ...


class DeadLetterService:
    """Shows dead letters, and tries again what they were about."""

    def __init__(
        self,
        *,
        letters: DeadLetters,
        jobs: Jobs,
        items: Items,
        service: GenerationService,
        clock: Callable[[], datetime],
    ) -> None:
        self._letters = letters
        self._jobs = jobs
        self._items = items
        self._service = service
        self._clock = clock

    async def list_dead_letters(self, before: int | None, limit: int) -> tuple[Sequence[DeadLetter], int]:
        """The newest first, and how many there are in all."""
        return await self._letters.newest(before, limit)

    async def get_dead_letter(self, sequence: int) -> DeadLetter:
        """Raises DeadLetterNotFound."""
        return await self._letters.get(sequence)

    async def requeue_dead_letter(self, sequence: int, token: str, request_id: str) -> GenerationJob:
        """A new job for what was not made, on behalf of the job's owner; the letter is gone after that.

        The job's key comes first and the letter goes last: so it is one job however many letters name it, whoever asks
        at once, and whatever is done again after a crash. No limit of the owner's is asked.

        Raises:
            DeadLetterNotFound: there is none, or it was dealt with.
            NothingToRequeue: it is about no job that failed.
            BrandKitNotFound: nothing was changed.
            Unavailable: ask again; what was done is not done twice.
        """
        letter = await self._letters.get(sequence)
        job = await self._job_of(letter)
        key = IdempotencyKey(job.user_id, f"{OPERATORS}requeue {job.id}", request_sha256="")
        again = await self._jobs.created_as(key, self._clock())
        if again is None:
            again = await self._service.retry_for_owner(job, token, request_id, key)
        await self._letters.remove(sequence)
        log.info("requeued", extra={"sequence": sequence, "job_id": job.id, "new_job_id": again.id})
        return again

    async def _job_of(self, letter: DeadLetter) -> GenerationJob:
        """The job that failed of it; raises NothingToRequeue."""
        work = letter.work
        if work is None:
            raise NothingToRequeue(letter.sequence, "nothing in it says which job it is about")
        try:
            job = await self._jobs.get(work.job_id)
            standing = await self._items.standing(work.job_id, work.item)
        except JobNotFound as error:
            raise NothingToRequeue(letter.sequence, error.message, job_id=work.job_id) from error
        if not job.status.may_be_tried_again:
            why = _why_not(job.status, work, standing)
            raise NothingToRequeue(letter.sequence, f"job {job.id} {why}", job_id=job.id, status=job.status.value)
        return job


def _why_not(status: JobStatus, work: WorkItem, standing: ItemStanding) -> str:
    """What somebody who looks at night needs to know of a job that has not failed."""
    if status is JobStatus.COMPLETED:
        return "is completed, so nothing of it is missing"
    if standing.state.is_over:
        return f"is {status}: its other pictures are still being made; try again when it has ended"
    if standing.dispatch != work.dispatch:
        return f"is {status}: variation {work.item} was sent again since, and may still be made"
    until = f"{work.finish_by:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"is {status}: variation {work.item} has not heard yet that its message was put aside, and fails when it does, "
        f"or at {until}; try again then"
    )
