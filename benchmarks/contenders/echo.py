"""The limit: the same Envoy, with the same filters, before a gRPC server that knows every answer beforehand.

`python -m benchmarks.contenders.echo PORT PORT PORT` serves as all three services. It checks no token, reads no
database and validates nothing; what it answers has the shape, and so the size, of the real answers.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import uvloop
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from benchmarks.contenders.contender import READER, Contender, job_id
from benchmarks.contenders.ours import local_system
from chassis.health import Health
from chassis.server import OPTIONS
from deploy.local.parts import Part, Stages
from deploy.local.settings import LocalSettings
from deploy.local.studio import gateway_part
from streamerstudio.generation.v1.generation_service_pb2_grpc import (
    GenerationServiceServicer,
    add_GenerationServiceServicer_to_server,
)
from streamerstudio.generation.v1.job_pb2 import Job, JobList, JobWithAssets
from streamerstudio.storage.v1.asset_pb2 import Asset
from streamerstudio.type.v1 import asset_type_pb2

WAITING, COMPLETED, KIT = job_id(1), job_id(2), job_id(3)
PORTS = ("PROMPT_PORT", "GENERATION_PORT", "STORAGE_PORT")
LINK = f"http://127.0.0.1:20000/files/private/{'0' * 32}?token=1795369805.{'u' * 43}"
_TIME = Timestamp(seconds=1767261600)
_JOB = {
    "user_id": READER, "brand_kit_id": KIT, "asset_type": asset_type_pb2.thumbnail, "count": 1,
    "created_at": _TIME, "updated_at": _TIME,
}  # fmt: skip
_ASSET = Asset(
    id=job_id(4), job_id=COMPLETED, user_id=READER, asset_type=asset_type_pb2.thumbnail, url=LINK, width=1280,
    height=720, file_size=300_000, created_at=_TIME,
)  # fmt: skip


class Echo(GenerationServiceServicer):
    """What it answers does not depend on who asks, or for which job: only on whether one is known to be completed."""

    def __init__(self) -> None:
        self._waiting = JobWithAssets(id=WAITING, status="queued", **_JOB)  # type: ignore[arg-type]
        self._completed = JobWithAssets(
            id=COMPLETED, status="completed", progress=100, completed_at=_TIME, assets=[_ASSET], **_JOB,  # type: ignore[arg-type]
        )  # fmt: skip
        done = Job(id=COMPLETED, status="completed", progress=100, completed_at=_TIME, **_JOB)  # type: ignore[arg-type]
        self._page = JobList(jobs=[done] * 20, total=10_000, limit=20)
        self._created = Job(id=WAITING, status="queued", **_JOB)  # type: ignore[arg-type]

    async def GetJob(self, request: Any, context: Any) -> JobWithAssets:
        return self._completed if request.job_id == COMPLETED else self._waiting

    async def ListJobs(self, request: Any, context: Any) -> JobList:
        return self._page

    async def CreateJob(self, request: Any, context: Any) -> Job:
        await context.send_initial_metadata((("x-http-code", "201"),))
        return self._created


@asynccontextmanager
async def echo(name: str, directory: Path) -> AsyncIterator[Contender]:
    """Runs it behind the gateway of the system."""
    async with local_system(name, directory, _stages, {}) as contender:
        yield replace(contender, waiting=[WAITING], completed=[COMPLETED], kit=KIT)


def _stages(settings: LocalSettings) -> Stages:
    ports = (settings.prompt_port, settings.generation_port, settings.storage_port)
    argv = (sys.executable, "-m", __name__, *map(str, ports))
    server = Part("echo", argv, settings.passed_on, dict(zip(PORTS, ports, strict=True)))
    return (server,), (gateway_part(settings),)


async def _serve(ports: list[int]) -> None:
    health = Health("", "ready")
    server = grpc.aio.server(options=OPTIONS)
    add_HealthServicer_to_server(health, server)
    add_GenerationServiceServicer_to_server(Echo(), server)  # type: ignore[abstract]  # the rest is UNIMPLEMENTED
    for port in ports:
        server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    for name in ("", "ready"):
        await health.say(name, serves=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve([int(port) for port in sys.argv[1:]]))
