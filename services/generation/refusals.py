"""What a caller of generation is refused for."""

from __future__ import annotations

from chassis.errors import Conflict, FieldViolation, Invalid, NotFound


class JobNotFound(NotFound):
    """There is no such job."""

    reason = "JOB_NOT_FOUND"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} was not found", metadata={"job_id": job_id})


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
