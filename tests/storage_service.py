"""A storage service for a test: its real server, called with real tokens."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from chassis.server import Role, running
from chassis.settings import read_settings
from services.storage import wiring
from services.storage.settings import Settings
from streamerstudio.storage.v1 import storage_service_pb2 as calls
from streamerstudio.storage.v1.asset_pb2 import Asset
from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceStub
from streamerstudio.type.v1.asset_type_pb2 import thumbnail
from tests.builders import FILES_SECRET, SERVICE_SECRET, USER_SECRET, bearer, service_token, user_token
from tests.databases import database_settings
from tests.pictures import a_picture

if TYPE_CHECKING:  # known to the stubs' types only
    from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceAsyncStub

NO_NATS = "nats://127.0.0.1:1"
"""Nobody listens there; calls are answered all the same."""
PUBLIC_URL = "https://studio.example"
NOBODYS = "00000000-0000-4000-8000-000000000000"
AS_SERVICE = bearer(service_token())
PICTURE = a_picture(1280, 720)


@dataclass(frozen=True, slots=True)
class Download:
    """What came out of a stream of HttpBody."""

    data: bytes
    content_type: str
    headers: dict[str, str]
    largest: int
    """Bytes in the largest message."""


@dataclass(frozen=True, slots=True)
class StorageService:
    """A running service, as its callers see it."""

    channel: grpc.aio.Channel
    stub: StorageServiceAsyncStub
    port: int = 0
    """0: nobody asks for it."""

    async def an_asset_of(self, user_id: str, data: bytes = PICTURE, **given: Any) -> Asset:
        """Uploads a picture for a new job, unless one is given."""
        result = await self.stub.UploadAsset(parts(an_info(user_id=user_id, **given), data), metadata=AS_SERVICE)
        return result.asset

    async def make_public(self, asset: Asset, *, is_public: bool = True) -> Asset:
        request = calls.SetVisibilityRequest(asset_id=asset.id, is_public=is_public)
        return await self.stub.SetVisibility(request, metadata=as_user(asset.user_id))

    async def file(self, url: str) -> Download:
        """Follows one of our links as the gateway does."""
        path, _, token = url.removeprefix(f"{PUBLIC_URL}/files/").partition("?token=")
        return await _download(self.stub.GetFile(calls.GetFileRequest(path=path, token=token)))

    async def shared(self, asset_id: str) -> Download:
        return await _download(self.stub.GetSharedAsset(calls.GetSharedAssetRequest(asset_id=asset_id)))


async def _download(call: Any) -> Download:
    messages = [message async for message in call]
    headers = {key: value for key, value in await call.initial_metadata() if isinstance(value, str)}
    data = b"".join(message.data for message in messages)
    return Download(data, messages[0].content_type, headers, max(len(message.data) for message in messages))


def settings(data_dir: Path, nats_url: str = NO_NATS, **given: str) -> Settings:
    """On a free port and a database of its own."""
    environ = {
        **database_settings(data_dir),
        "STUDIO_DATA_DIR": str(data_dir),
        "STUDIO_PUBLIC_URL": PUBLIC_URL,
        "NATS_URL": nats_url,
        "JWT_SECRET": USER_SECRET,
        "SERVICE_JWT_SECRET": SERVICE_SECRET,
        "FILES_SECRET": FILES_SECRET,
        "STORAGE_PORT": "0",
    }
    return read_settings(Settings, {**environ, **given})


@asynccontextmanager
async def running_storage_service(settings: Settings, role: Role = Role.ALL) -> AsyncIterator[StorageService]:
    async with AsyncExitStack() as stack:
        service = await wiring.build(settings, role, stack)
        port = await stack.enter_async_context(running(service))
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        yield StorageService(channel, StorageServiceStub(channel), port)


def as_user(user_id: str) -> tuple[tuple[str, str], ...]:
    return bearer(user_token(user_id))


def an_info(**given: Any) -> calls.UploadInfo:
    values: dict[str, Any] = {"user_id": "ada", "job_id": str(uuid.uuid4()), "item": 0, "asset_type": thumbnail}
    return calls.UploadInfo(**{**values, **given})


def parts(info: calls.UploadInfo, data: bytes, size: int = 256 * 1024) -> Iterator[calls.UploadAssetRequest]:
    """An upload as it should be: info, then chunks."""
    yield calls.UploadAssetRequest(info=info)
    for start in range(0, len(data), size):
        yield calls.UploadAssetRequest(chunk=data[start : start + size])
