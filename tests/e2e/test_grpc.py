"""The services as backend engineers use them: over gRPC, through the gateway's port and directly, with grpcurl."""

from __future__ import annotations

import asyncio
import json
import sysconfig
import uuid
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from deploy.local.background import BackgroundSystem
from streamerstudio.generation.v1 import generation_service_pb2, generation_service_pb2_grpc, job_pb2
from streamerstudio.prompt.v1 import brand_kit_pb2, brand_kit_service_pb2, brand_kit_service_pb2_grpc
from streamerstudio.storage.v1 import storage_service_pb2, storage_service_pb2_grpc
from streamerstudio.type.v1 import asset_type_pb2
from tests.builders import bearer
from tests.systems import token_for

GRPCURL = Path(sysconfig.get_path("scripts")) / "grpcurl"
SERVICES = {
    "prompt_port": ["streamerstudio.prompt.v1.BrandKitService", "streamerstudio.prompt.v1.PromptService"],
    "generation_port": ["streamerstudio.generation.v1.GenerationService"],
    "storage_port": ["streamerstudio.storage.v1.StorageService"],
}
CALLS = {
    "prompt_port": ("streamerstudio.prompt.v1.BrandKitService/ListBrandKits", "{}", {}),
    "generation_port": ("streamerstudio.generation.v1.GenerationService/ListJobs", '{"limit": 5}', {"limit": 5}),
    "storage_port": ("streamerstudio.storage.v1.StorageService/ListAssets", '{"limit": 5}', {"limit": 5}),
}


async def grpcurl(*arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        GRPCURL, "-plaintext", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, output.decode()


@pytest.mark.parametrize("port", SERVICES)
async def test_grpcurl_lists_describes_and_calls_each_service(system: BackgroundSystem, port: str) -> None:
    address = f"127.0.0.1:{getattr(system.settings, port)}"
    token = token_for(system, f"user-{uuid.uuid4()}")
    method, body, expected = CALLS[port]

    _, listed = await grpcurl(address, "list")
    _, described = await grpcurl(address, "describe", method.split("/")[0])
    code, answer = await grpcurl("-H", f"authorization: Bearer {token}", "-d", body, address, method)
    refused, refusal = await grpcurl("-d", body, address, method)

    assert set(SERVICES[port]) <= set(listed.split())
    assert f"rpc {method.split('/')[1]} (" in described
    assert code == 0 and json.loads(answer) == expected
    assert refused != 0 and "UNAUTHENTICATED" in refusal.upper()


@pytest.fixture
def through_the_gateway(system: BackgroundSystem) -> str:
    return system.url.removeprefix("http://")


async def test_a_native_client_makes_a_picture_through_the_gateways_port(
    system: BackgroundSystem, through_the_gateway: str
) -> None:
    metadata = bearer(token_for(system, f"user-{uuid.uuid4()}"))
    async with grpc.aio.insecure_channel(through_the_gateway) as channel:
        kits: Any = brand_kit_service_pb2_grpc.BrandKitServiceStub(channel)
        jobs: Any = generation_service_pb2_grpc.GenerationServiceStub(channel)
        storage: Any = storage_service_pb2_grpc.StorageServiceStub(channel)
        kit = await kits.CreateBrandKit(
            brand_kit_service_pb2.CreateBrandKitRequest(
                name="Kit", primary_colors=["#FF0055"], fonts=brand_kit_pb2.Fonts(headline="Inter", body="Inter")
            ),
            metadata=metadata,
        )
        job = await jobs.CreateJob(
            generation_service_pb2.CreateJobRequest(asset_type=asset_type_pb2.clip_cover, brand_kit_id=kit.id),
            metadata=metadata,
        )
        events = [
            event
            async for event in jobs.WatchJob(
                generation_service_pb2.WatchJobRequest(job_id=job.id), metadata=metadata, timeout=30
            )
        ]
        asset = events[-1].asset
        link = await storage.GetSignedUrl(
            storage_service_pb2.GetSignedUrlRequest(asset_id=asset.id, expires_in=60), metadata=metadata
        )
        path, _, token = link.url.split("/files/")[1].partition("?token=")
        chunks = [
            part.data
            async for part in storage.GetFile(storage_service_pb2.GetFileRequest(path=path, token=token), timeout=30)
        ]

    assert events[-1].type == job_pb2.JobEventType.completed
    assert len(b"".join(chunks)) == asset.file_size


async def test_a_native_client_is_refused_with_the_field_and_the_reason(
    system: BackgroundSystem, through_the_gateway: str
) -> None:
    metadata = bearer(token_for(system, f"user-{uuid.uuid4()}"))
    async with grpc.aio.insecure_channel(through_the_gateway) as channel:
        jobs: Any = generation_service_pb2_grpc.GenerationServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as bad:
            await jobs.CreateJob(generation_service_pb2.CreateJobRequest(count=9), metadata=metadata)
        with pytest.raises(grpc.aio.AioRpcError) as users:
            await jobs.UpdateJobStatus(
                generation_service_pb2.UpdateJobStatusRequest(job_id=str(uuid.uuid4()), status=job_pb2.processing),
                metadata=metadata,
            )
        with pytest.raises(grpc.aio.AioRpcError) as nobody:
            await jobs.ListJobs(generation_service_pb2.ListJobsRequest())

    assert bad.value.code() is grpc.StatusCode.INVALID_ARGUMENT and "asset_type" in (bad.value.details() or "")
    assert users.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert nobody.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_grpcurl_reads_dead_letters_on_the_gateways_port_as_a_service_alone(
    system: BackgroundSystem, through_the_gateway: str
) -> None:
    method = "streamerstudio.generation.v1.GenerationService/GetDeadLetter"
    service, user = system.settings.service_token, token_for(system, f"user-{uuid.uuid4()}")
    assert service is not None
    arguments = ("-d", '{"sequence": 1000000}', through_the_gateway, method)

    _, missing = await grpcurl("-H", f"authorization: Bearer {service.get_secret_value()}", *arguments)
    _, refused = await grpcurl("-H", f"authorization: Bearer {user}", *arguments)
    async with httpx.AsyncClient(base_url=system.url, trust_env=False) as client:
        rest = await client.post(f"/{method}", headers=dict(bearer(service.get_secret_value())), json={})

    assert "Code: NotFound" in missing and "DEAD_LETTER_NOT_FOUND" in missing
    assert "Code: PermissionDenied" in refused and "SERVICE_ONLY" in refused
    assert rest.status_code == 404
