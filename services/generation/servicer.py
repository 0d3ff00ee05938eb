"""GenerationService on the wire: from protos to use cases and back."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from chassis.auth import Access, current_caller, current_user, grpc_methods
from chassis.errors import Invalid
from chassis.interceptors import header
from chassis.status import quota_headers
from chassis.telemetry import current_request_id
from services.generation.answers import to_asset, to_attempts, to_event, to_job, to_job_with_assets, to_usage
from services.generation.dead_letter_calls import DEAD_LETTER_ACCESS, DeadLetterCalls
from services.generation.domain import AssetType, IdempotencyKey
from services.generation.ports import Watchers
from services.generation.requeueing import DeadLetterService
from services.generation.states import JobStatus
from services.generation.usecases import Accepted, GenerationService, Order
from services.generation.watching import watch_job
from streamerstudio.generation.v1 import generation_service_pb2, job_pb2, usage_pb2
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
        "CancelJob": Access.USER,
        "RetryJob": Access.USER,
        "GetUsage": Access.USER,
        "ListAttempts": Access.SERVICE,
        "UpdateJobStatus": Access.SERVICE,
        **DEAD_LETTER_ACCESS,
    },
)
"""Who may call what."""


class GenerationServicer(DeadLetterCalls):
    """Translates; the use cases do the work."""

    def __init__(
        self, service: GenerationService, letters: DeadLetterService, watchers: Watchers, call_price: float
    ) -> None:
        """`call_price` is that of one call to the image API, in US dollars."""
        super().__init__(letters)
        self._service = service
        self._watchers = watchers
        self._call_price = call_price

    async def CreateJob(self, request: generation_service_pb2.CreateJobRequest, context: Context) -> job_pb2.Job:
        """Over REST a new job is 201."""
        key = _idempotency_key(request, context)
        accepted = await self._service.create_job(
            current_user(), current_caller().token, _to_order(request), current_request_id(), key
        )
        return await _created(accepted, context)

    async def GetJob(self, request: generation_service_pb2.GetJobRequest, context: Context) -> job_pb2.JobWithAssets:
        job = await self._service.get_job(current_caller(), request.job_id.lower())
        return to_job_with_assets(job, await self._service.assets_of(current_caller(), job))

    async def ListJobs(self, request: generation_service_pb2.ListJobsRequest, context: Context) -> job_pb2.JobList:
        limit = request.limit if request.HasField("limit") else DEFAULT_LIMIT
        status = JobStatus(job_pb2.JobStatus.Name(request.status)) if request.HasField("status") else None
        jobs, total = await self._service.list_jobs(current_user(), status, limit, request.offset)
        return job_pb2.JobList(jobs=[to_job(job) for job in jobs], total=total, limit=limit, offset=request.offset)

    async def GetJobAssets(
        self, request: generation_service_pb2.GetJobAssetsRequest, context: Context
    ) -> AsyncIterator[asset_pb2.Asset]:
        for asset in await self._service.get_job_assets(current_caller(), request.job_id.lower()):
            yield to_asset(asset)

    async def WatchJob(
        self, request: generation_service_pb2.WatchJobRequest, context: Context
    ) -> AsyncIterator[job_pb2.JobEvent]:
        after = _after(request, context)
        job_id = request.job_id.lower()
        events = watch_job(self._service, self._watchers, current_caller(), job_id, after)
        async with aclosing(events):
            async for event in events:
                yield to_event(event)

    async def CancelJob(self, request: generation_service_pb2.CancelJobRequest, context: Context) -> job_pb2.Job:
        return to_job(await self._service.cancel_job(current_caller(), request.job_id.lower()))

    async def RetryJob(self, request: generation_service_pb2.RetryJobRequest, context: Context) -> job_pb2.Job:
        """Over REST a new job is 201."""
        accepted = await self._service.retry_job(current_caller(), request.job_id.lower(), current_request_id())
        return await _created(accepted, context)

    async def GetUsage(self, request: generation_service_pb2.GetUsageRequest, context: Context) -> usage_pb2.Usage:
        return to_usage(await self._service.get_usage(current_user()), current_caller().tier)

    async def ListAttempts(
        self, request: generation_service_pb2.ListAttemptsRequest, context: Context
    ) -> usage_pb2.AttemptList:
        return to_attempts(*await self._service.list_attempts(request.job_id.lower()), self._call_price)

    async def UpdateJobStatus(
        self, request: generation_service_pb2.UpdateJobStatusRequest, context: Context
    ) -> job_pb2.Job:
        status = JobStatus(job_pb2.JobStatus.Name(request.status))
        message = request.error_message if request.HasField("error_message") else None
        return to_job(await self._service.update_job_status(request.job_id.lower(), status, request.progress, message))


async def _created(accepted: Accepted, context: Context) -> job_pb2.Job:
    await context.send_initial_metadata((("x-http-code", "201"), *quota_headers(accepted.quota)))
    return to_job(accepted.job)


def _to_order(request: generation_service_pb2.CreateJobRequest) -> Order:
    return Order(
        asset_type=AssetType(asset_type_pb2.AssetType.Name(request.asset_type)),
        brand_kit_id=request.brand_kit_id.lower() if request.HasField("brand_kit_id") else None,
        custom_prompt=request.custom_prompt,
        count=request.count if request.HasField("count") else 1,
        template_version=request.template_version,
        seed=request.seed if request.HasField("seed") else None,
    )


def _idempotency_key(request: generation_service_pb2.CreateJobRequest, context: Context) -> IdempotencyKey | None:
    given = header(context, "idempotency-key")
    if given is None:
        return None
    if not (1 <= len(given) <= 255 and given.isascii() and given.isprintable()):
        raise Invalid.field("idempotency-key", "must be 1 to 255 printable ASCII characters")
    body = request.SerializeToString(deterministic=True)
    return IdempotencyKey(current_user(), given, hashlib.sha256(body).hexdigest())


def _after(request: generation_service_pb2.WatchJobRequest, context: Context) -> int | None:
    if request.HasField("after"):
        return int(request.after)
    given = header(context, "last-event-id")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= 18):
        raise Invalid.field("last-event-id", "must be the event_id of an event")
    return int(given)
