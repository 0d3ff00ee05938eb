"""What a caller of generation is refused for."""

from __future__ import annotations

from chassis.errors import Conflict, Exhausted, FieldViolation, Invalid, NotFound, Quota


class JobNotFound(NotFound):
    """There is no such job."""

    reason = "JOB_NOT_FOUND"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} was not found", metadata={"job_id": job_id})


class ItemNotFound(JobNotFound):
    """There is no such job, or it has no such variation."""

    def __init__(self, job_id: str, item: int) -> None:
        super(JobNotFound, self).__init__(
            f"variation {item} of job {job_id} was not found", metadata={"job_id": job_id, "item": str(item)}
        )


class BrandKitNotFound(NotFound):
    """There is no such brand kit."""

    reason = "BRAND_KIT_NOT_FOUND"

    def __init__(self, brand_kit_id: str) -> None:
        super().__init__(f"brand kit {brand_kit_id} was not found", metadata={"brand_kit_id": brand_kit_id})


class IdempotencyKeyReused(Conflict):
    """The key stands for another request."""

    reason = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used before with another body")


class NoActiveBrandKit(Invalid):
    """The request names no brand kit and the user has none active."""

    def __init__(self) -> None:
        sentence = "choose a brand kit, or make one of yours active"
        super().__init__(f"brand_kit_id: {sentence}", violations=[FieldViolation("brand_kit_id", sentence)])


class TooManySubmits(Exhausted):
    """The user has submitted as many jobs as they may in a minute."""

    reason = "RATE_LIMIT"

    def __init__(self, quota: Quota) -> None:
        """It is known when the next one may come."""
        super().__init__(
            f"you have reached the limit of {quota.limit} new jobs a minute; try again in {quota.reset} s",
            retry_after=quota.reset,
            quota=quota,
            metadata={"limit": str(quota.limit), "retry_after": str(quota.reset)},
        )


class TooManyActiveJobs(Exhausted):
    """The user has as many jobs under way as they may have at once."""

    reason = "GENERATION_LIMIT_EXCEEDED"
    RETRY_AFTER = 5
    """Seconds. Nobody knows when a job of theirs will end; sooner than a picture takes it is of little use to ask."""

    def __init__(self, limit: int, quota: Quota | None) -> None:
        super().__init__(
            f"you have reached the limit of {limit} jobs under way at once; try again when one has ended",
            retry_after=self.RETRY_AFTER,
            quota=quota,
            metadata={"limit": str(limit)},
        )
