"""Values of the domain as the protos that answer a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chassis.times import to_timestamp
from services.generation.domain import Asset, GenerationJob, PastCall, Usage
from services.generation.sources import PromptSource
from services.generation.states import Failure, JobStatus
from services.generation.watching import Change, Heartbeat
from streamerstudio.error.v1 import error_reason_pb2
from streamerstudio.generation.v1 import job_pb2, usage_pb2
from streamerstudio.storage.v1 import asset_pb2
from streamerstudio.type.v1 import asset_type_pb2

UNLIMITED = -1
MESSAGES = {
    JobStatus.QUEUED: "Waiting for its turn",
    JobStatus.PROCESSING: "Generating your asset",
    JobStatus.COMPLETED: "Your asset is ready",
    JobStatus.PARTIAL: "Some of your assets are ready",
}
SAVING = "Saving your asset"


def to_usage(usage: Usage, tier: str) -> usage_pb2.Usage:
    """Nothing limits a month of any tier."""
    return usage_pb2.Usage(
        generations_used=usage.jobs,
        generations_limit=UNLIMITED,
        generations_remaining=UNLIMITED,
        tier=tier,
        tier_display=tier.replace("_", " ").title(),
        active_jobs=usage.active_jobs,
        paid_attempts=usage.billed_calls,
    )


def to_attempts(calls: Sequence[PastCall], sources: Mapping[int, PromptSource], price: float) -> usage_pb2.AttemptList:
    """`price` is that of one call, in US dollars."""
    billed = sum(call.is_billed for call in calls)
    return usage_pb2.AttemptList(
        attempts=[_to_attempt(call) for call in calls],
        billed=billed,
        cost_usd=round(billed * price, 6),
        prompts=[
            usage_pb2.PromptSource(
                item=item, template_version=source.template_version, template_hash=source.template_hash
            )
            for item, source in sources.items()
        ],
    )


def to_job(job: GenerationJob) -> job_pb2.Job:
    return job_pb2.Job(**_fields(job))


def to_job_with_assets(job: GenerationJob, assets: Sequence[Asset]) -> job_pb2.JobWithAssets:
    return job_pb2.JobWithAssets(**_fields(job), assets=[to_asset(asset) for asset in assets])


def _fields(job: GenerationJob) -> dict[str, Any]:
    """Job and JobWithAssets are field for field the same."""
    return {
        "id": job.id,
        "user_id": job.user_id,
        "brand_kit_id": job.brand_kit_id,
        "asset_type": job.asset_type.value,
        "status": job.status.value,
        "progress": job.progress,
        "error_message": job.error_message,
        "created_at": to_timestamp(job.created_at),
        "updated_at": to_timestamp(job.updated_at),
        "completed_at": to_timestamp(job.completed_at) if job.completed_at else None,
        "count": job.count,
        "error": _to_error(job.failure) if job.failure else None,
    }


def _to_error(failure: Failure) -> job_pb2.JobError:
    reason = error_reason_pb2.ErrorReason.Value(failure.reason)
    return job_pb2.JobError(reason=reason, stage=failure.stage, retryable=failure.retryable)


def _to_attempt(call: PastCall) -> usage_pb2.Attempt:
    return usage_pb2.Attempt(
        item=call.item,
        n=call.number,
        model=call.model,
        state=usage_pb2.AttemptState.Value(call.state),
        started_at=to_timestamp(call.started_at),
        ended_at=to_timestamp(call.ended_at) if call.ended_at else None,
    )


def to_asset(asset: Asset) -> asset_pb2.Asset:
    return asset_pb2.Asset(
        id=asset.id,
        job_id=asset.job_id,
        user_id=asset.user_id,
        asset_type=asset_type_pb2.AssetType.Value(asset.asset_type),
        url=asset.url,
        width=asset.width,
        height=asset.height,
        file_size=asset.file_size,
        is_public=asset.is_public,
        viral_score=asset.viral_score,
        created_at=to_timestamp(asset.created_at),
    )


def to_event(event: Heartbeat | Change) -> job_pb2.JobEvent:
    if isinstance(event, Heartbeat):
        return job_pb2.JobEvent(event_id=str(event.revision), type=job_pb2.JobEventType.heartbeat)
    job = event.job
    answer = job_pb2.JobEvent(
        event_id=str(job.revision),
        type=_event_type(job.status),
        status=job_pb2.JobStatus.Value(job.status.value),
        progress=job.progress,
        job=to_job_with_assets(job, event.assets),
    )
    if job.status is JobStatus.FAILED:
        answer.error = job.error_message or ""
    else:
        answer.message = SAVING if job.status is JobStatus.PROCESSING and job.progress >= 70 else MESSAGES[job.status]
    if job.status.is_terminal and event.assets:
        answer.asset.CopyFrom(to_asset(event.assets[0]))
    return answer


def _event_type(status: JobStatus) -> job_pb2.JobEventType.Value.ValueType:
    if status is JobStatus.FAILED:
        return job_pb2.JobEventType.failed
    return job_pb2.JobEventType.completed if status.is_terminal else job_pb2.JobEventType.progress
