"""GenerationService on the wire: from protos to use cases and back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import grpc

from chassis.auth import Access, current_caller, current_user, grpc_methods
from chassis.errors import Invalid
from chassis.interceptors import current_request_id, header
from chassis.times import to_timestamp
from services.generation.domain import Asset, AssetType, GenerationJob
from services.generation.ports import Watchers
from services.generation.states import Failure, JobStatus
from services.generation.usecases import GenerationService, Order
from services.generation.watching import Change, Heartbeat, watch_job
from streamerstudio.error.v1 import error_reason_pb2
from streamerstudio.generation.v1 import generation_service_pb2, generation_service_pb2_grpc, job_pb2
from streamerstudio.storage.v1 import asset_pb2
from streamerstudio.type.v1 import asset_type_pb2

Context = grpc.aio.ServicerContext[Any, Any]
DEFAULT_LIMIT = 20

SERVICE_NAME = generation_service_pb2.DESCRIPTOR.services_by_name["GenerationService"].full_name
METHODS = grpc_methods(
    SERVICE_NAME,
    {
        "CreateJob": Access.USER,
        "GetJob": Access.USER,
        "ListJobs": Access.USER,
        "GetJobAssets": Access.USER,
        "WatchJob": Access.USER,
        "UpdateJobStatus": Access.SERVICE,
    },
)
"""Who may call what."""

MESSAGES = {
    JobStatus.QUEUED: "Waiting for its turn",
    JobStatus.PROCESSING: "Generating your asset",
    JobStatus.COMPLETED: "Your asset is ready",
    JobStatus.PARTIAL: "Some of your assets are ready",
}
SAVING = "Saving your asset"


class GenerationServicer(generation_service_pb2_grpc.GenerationServiceServicer):
    """Translates; the use cases do the work."""

    def __init__(self, service: GenerationService, watchers: Watchers) -> None:
        self._service = service
        self._watchers = watchers

    async def CreateJob(self, request: generation_service_pb2.CreateJobRequest, context: Context) -> job_pb2.Job:
        """Over REST a new job is 201."""
        job = await self._service.create_job(
            current_user(), current_caller().token, _to_order(request), current_request_id()
        )
        await context.send_initial_metadata((("x-http-code", "201"),))
        return _to_job(job)

    async def GetJob(self, request: generation_service_pb2.GetJobRequest, context: Context) -> job_pb2.JobWithAssets:
        job = await self._service.get_job(current_caller(), request.job_id.lower())
        return _to_job_with_assets(job, await self._service.assets_of(current_caller(), job))

    async def ListJobs(self, request: generation_service_pb2.ListJobsRequest, context: Context) -> job_pb2.JobList:
        limit = request.limit if request.HasField("limit") else DEFAULT_LIMIT
        status = JobStatus(job_pb2.JobStatus.Name(request.status)) if request.HasField("status") else None
        jobs, total = await self._service.list_jobs(current_user(), status, limit, request.offset)
        return job_pb2.JobList(jobs=[_to_job(job) for job in jobs], total=total, limit=limit, offset=request.offset)

    async def GetJobAssets(
        self, request: generation_service_pb2.GetJobAssetsRequest, context: Context
    ) -> AsyncIterator[asset_pb2.Asset]:
        for asset in await self._service.get_job_assets(current_caller(), request.job_id.lower()):
            yield _to_asset(asset)

    async def WatchJob(
        self, request: generation_service_pb2.WatchJobRequest, context: Context
    ) -> AsyncIterator[job_pb2.JobEvent]:
        after = _after(request, context)
        job_id = request.job_id.lower()
        events = watch_job(self._service, self._watchers, current_caller(), job_id, after)
        async with aclosing(events):
            async for event in events:
                yield _to_event(event)

    async def UpdateJobStatus(
        self, request: generation_service_pb2.UpdateJobStatusRequest, context: Context
    ) -> job_pb2.Job:
        status = JobStatus(job_pb2.JobStatus.Name(request.status))
        message = request.error_message if request.HasField("error_message") else None
        return _to_job(await self._service.update_job_status(request.job_id.lower(), status, request.progress, message))


def _to_order(request: generation_service_pb2.CreateJobRequest) -> Order:
    return Order(
        asset_type=AssetType(asset_type_pb2.AssetType.Name(request.asset_type)),
        brand_kit_id=request.brand_kit_id.lower() if request.HasField("brand_kit_id") else None,
        custom_prompt=request.custom_prompt,
        count=request.count if request.HasField("count") else 1,
        template_version=request.template_version,
        seed=request.seed if request.HasField("seed") else None,
    )


def _after(request: generation_service_pb2.WatchJobRequest, context: Context) -> int | None:
    if request.HasField("after"):
        return int(request.after)
    given = header(context, "last-event-id")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise Invalid.field("last-event-id", "must be the event_id of an event")
    return int(given)


def _to_job(job: GenerationJob) -> job_pb2.Job:
    return job_pb2.Job(**_fields(job))


def _to_job_with_assets(job: GenerationJob, assets: Sequence[Asset]) -> job_pb2.JobWithAssets:
    return job_pb2.JobWithAssets(**_fields(job), assets=[_to_asset(asset) for asset in assets])


def _fields(job: GenerationJob) -> dict[str, Any]:
    """Job and JobWithAssets are field for field the same."""
    return {
        "id": job.id,
        "user_id": job.user_id,
        "brand_kit_id": job.brand_kit_id,
        "asset_type": asset_type_pb2.AssetType.Value(job.asset_type.value),
        "status": job_pb2.JobStatus.Value(job.status.value),
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


def _to_asset(asset: Asset) -> asset_pb2.Asset:
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


def _to_event(event: Heartbeat | Change) -> job_pb2.JobEvent:
    if isinstance(event, Heartbeat):
        return job_pb2.JobEvent(event_id=str(event.revision), type=job_pb2.JobEventType.heartbeat)
    job = event.job
    answer = job_pb2.JobEvent(
        event_id=str(job.revision),
        type=_event_type(job.status),
        status=job_pb2.JobStatus.Value(job.status.value),
        progress=job.progress,
        job=_to_job_with_assets(job, event.assets),
    )
    if job.status is JobStatus.FAILED:
        answer.error = job.error_message or ""
    else:
        answer.message = SAVING if job.status is JobStatus.PROCESSING and job.progress >= 70 else MESSAGES[job.status]
    if job.status.is_terminal and event.assets:
        answer.asset.CopyFrom(_to_asset(event.assets[0]))
    return answer


def _event_type(status: JobStatus) -> job_pb2.JobEventType.Value.ValueType:
    if status is JobStatus.FAILED:
        return job_pb2.JobEventType.failed
    return job_pb2.JobEventType.completed if status.is_terminal else job_pb2.JobEventType.progress
