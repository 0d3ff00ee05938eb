"""A storage service behind a gateway, for tests of uploads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from deploy.local.ports import free_ports
from gateway.settings import Address
from streamerstudio.storage.v1.upload_service_pb2_grpc import UploadServiceStub
from tests.builders import user_token
from tests.contract.gateway_process import bearer, running_gateway, settings_at
from tests.pictures import a_picture
from tests.queueing import eventually
from tests.storage_parts import keys_on_disk
from tests.storage_service import PUBLIC_URL, running_storage_service, settings

if TYPE_CHECKING:  # known to the stubs' types only
    from streamerstudio.storage.v1.upload_service_pb2_grpc import UploadServiceAsyncStub

PICTURE = a_picture(320, 200)
UPLOADS = "/api/v1/uploads"


@dataclass(frozen=True, slots=True)
class World:
    """A storage service behind a gateway."""

    http: httpx.AsyncClient
    stub: UploadServiceAsyncStub
    port: int
    """Where the service itself listens."""
    blobs: Path

    async def post(self, content: Any, user_id: str = "ada", **headers: str) -> httpx.Response:
        return await self.http.post(UPLOADS, content=content, headers={**as_app(user_id), **headers}, timeout=30)

    async def uploaded(self, user_id: str = "ada", content: bytes = PICTURE) -> dict[str, Any]:
        answer = await self.post(content, user_id)
        assert answer.status_code == 201, answer.text
        upload: dict[str, Any] = answer.json()
        return upload

    async def total(self, user_id: str = "ada") -> int:
        answer = await self.http.get(UPLOADS, headers=as_app(user_id))
        return int(answer.json()["total"])

    def keys(self) -> set[str]:
        """What there is on disk."""
        return {key for key in keys_on_disk(self.blobs) if key.startswith("uploads/")}

    async def opened(self, url: str) -> httpx.Response:
        return await self.http.get(url.removeprefix(PUBLIC_URL))


def as_app(user_id: str) -> dict[str, str]:
    return bearer(user_token(user_id))


@asynccontextmanager
async def running_world(directory: Path) -> AsyncIterator[World]:
    elsewhere, nowhere = free_ports(2)
    async with running_storage_service(settings(directory)) as storage:
        addresses = {
            "prompt": Address("127.0.0.1", elsewhere), "generation": Address("127.0.0.1", nowhere),
            "storage": Address("127.0.0.1", storage.port),
        }  # fmt: skip
        async with running_gateway(settings_at(addresses), directory) as http:

            async def serves() -> bool:
                return (await http.get(UPLOADS, headers=as_app("ada"))).status_code == 200

            await eventually(serves)
            yield World(http, UploadServiceStub(storage.channel), storage.port, directory / "blobs")
