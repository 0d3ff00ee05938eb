"""A generation service for a test, beside the real prompt and storage services it calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from chassis.server import Role, running
from chassis.settings import read_settings
from services.generation import wiring
from services.generation.settings import Settings
from services.prompt import wiring as prompt_wiring
from services.storage import wiring as storage_wiring
from streamerstudio.generation.v1 import generation_service_pb2 as calls
from streamerstudio.generation.v1.generation_service_pb2_grpc import GenerationServiceStub
from streamerstudio.generation.v1.job_pb2 import Job, JobWithAssets
from streamerstudio.prompt.v1.brand_kit_service_pb2_grpc import BrandKitServiceStub
from streamerstudio.prompt.v1.prompt_service_pb2_grpc import PromptServiceStub
from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceStub
from streamerstudio.type.v1 import asset_type_pb2
from tests import prompt_service, storage_service
from tests.builders import SERVICE_SECRET, USER_SECRET, bearer, service_token
from tests.databases import database_settings
from tests.prompt_service import NO_NATS, NOBODY_LISTENS, PromptService, as_user
from tests.queueing import eventually
from tests.storage_service import StorageService

if TYPE_CHECKING:  # known to the stubs' types only
    from streamerstudio.generation.v1.generation_service_pb2_grpc import GenerationServiceAsyncStub

AS_SERVICE = bearer(service_token())
TERMINAL = {"completed", "partial", "failed"}


@dataclass(frozen=True, slots=True)
class Studio:
    """The three services in this process, as their callers see them."""

    jobs: GenerationServiceAsyncStub
    prompt: PromptService | None
    storage: StorageService | None

    async def a_job_of(self, user_id: str, **given: Any) -> Job:
        """A job that was accepted, with a new kit unless one is given."""
        if "brand_kit_id" not in given:
            assert self.prompt is not None
            given["brand_kit_id"] = (await self.prompt.a_kit_of(user_id)).id
        return await self.jobs.CreateJob(an_order(**given), metadata=as_user(user_id))

    async def jobs_of(self, user_id: str) -> list[Job]:
        listed = await self.jobs.ListJobs(calls.ListJobsRequest(), metadata=as_user(user_id))
        return list(listed.jobs)

    async def ended(self, user_id: str, job_id: str) -> JobWithAssets:
        """The job once its stream has ended."""
        async with asyncio.timeout(30):
            request = calls.WatchJobRequest(job_id=job_id)
            last = [event async for event in self.jobs.WatchJob(request, metadata=as_user(user_id))][-1]
        return last.job


def an_order(**given: Any) -> calls.CreateJobRequest:
    return calls.CreateJobRequest(**{"asset_type": asset_type_pb2.banner, **given})


def settings(data_dir: Path, nats_url: str = NO_NATS, **given: str) -> Settings:
    """On a free port and a database of its own; beside it nobody, unless addresses are given."""
    environ = {
        **database_settings(data_dir),
        "STUDIO_DATA_DIR": str(data_dir),
        "NATS_URL": nats_url,
        "JWT_SECRET": USER_SECRET,
        "SERVICE_JWT_SECRET": SERVICE_SECRET,
        "SERVICE_TOKEN": service_token(),
        "GENERATION_PORT": "0",
        "PROMPT_ADDRESS": NOBODY_LISTENS,
        "STORAGE_ADDRESS": NOBODY_LISTENS,
    }
    return read_settings(Settings, {**environ, **given})


@asynccontextmanager
async def running_studio(data_dir: Path, nats_url: str = NO_NATS, **given: str) -> AsyncIterator[Studio]:
    """All three services; they share the data directory as they do on one machine."""
    async with AsyncExitStack() as stack:
        built = await storage_wiring.build(storage_service.settings(data_dir, nats_url), Role.ALL, stack)
        storage_address = f"127.0.0.1:{await stack.enter_async_context(running(built))}"
        known = prompt_service.settings(data_dir, nats_url, STORAGE_ADDRESS=storage_address)
        built = await prompt_wiring.build(known, Role.ALL, stack)
        prompt_address = f"127.0.0.1:{await stack.enter_async_context(running(built))}"
        addresses = {"PROMPT_ADDRESS": prompt_address, "STORAGE_ADDRESS": storage_address}
        jobs = await stack.enter_async_context(
            running_generation(settings(data_dir, nats_url, **{**addresses, **given}))
        )
        prompts = await stack.enter_async_context(grpc.aio.insecure_channel(prompt_address))
        files = await stack.enter_async_context(grpc.aio.insecure_channel(storage_address))
        yield Studio(
            jobs,
            PromptService(prompts, BrandKitServiceStub(prompts), PromptServiceStub(prompts)),
            StorageService(files, StorageServiceStub(files)),
        )


async def connected(jobs: GenerationServiceAsyncStub) -> None:
    """Returns once the service has its queue."""

    async def is_up() -> bool:
        try:
            await jobs.ListDeadLetters(calls.ListDeadLettersRequest(), metadata=AS_SERVICE)
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE
            return False
        return True

    await eventually(is_up)


@asynccontextmanager
async def running_generation(settings: Settings) -> AsyncIterator[GenerationServiceAsyncStub]:
    """The generation service alone."""
    async with AsyncExitStack() as stack:
        service = await wiring.build(settings, Role.ALL, stack)
        port = await stack.enter_async_context(running(service))
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        yield GenerationServiceStub(channel)
