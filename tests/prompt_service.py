"""A prompt service for a test: its real server, called with real tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.struct_pb2 import ListValue, Value
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis.server import Role, running
from chassis.settings import read_settings
from services.prompt import wiring
from services.prompt.settings import Settings
from streamerstudio.prompt.v1 import brand_kit_service_pb2 as calls
from streamerstudio.prompt.v1.brand_kit_pb2 import BrandKit, Fonts
from streamerstudio.prompt.v1.brand_kit_service_pb2_grpc import BrandKitServiceStub
from streamerstudio.prompt.v1.prompt_service_pb2_grpc import PromptServiceStub
from tests.builders import SERVICE_SECRET, USER_SECRET, bearer, user_token
from tests.databases import database_settings

if TYPE_CHECKING:  # known to the stubs' types only
    from streamerstudio.prompt.v1.brand_kit_service_pb2_grpc import BrandKitServiceAsyncStub
    from streamerstudio.prompt.v1.prompt_service_pb2_grpc import PromptServiceAsyncStub

NO_NATS = "nats://127.0.0.1:1"
"""Nobody listens there; calls are answered all the same."""
NOBODY_LISTENS = "127.0.0.1:1"
NOBODYS = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class PromptService:
    """A running service, as its callers see it."""

    channel: grpc.aio.Channel
    brand_kits: BrandKitServiceAsyncStub
    prompts: PromptServiceAsyncStub

    async def a_kit_of(self, user_id: str, **given: Any) -> BrandKit:
        """Creates a kit, valid but for what is given."""
        return await self.brand_kits.CreateBrandKit(a_create_request(**given), metadata=as_user(user_id))

    async def kits_of(self, user_id: str) -> list[BrandKit]:
        listed = await self.brand_kits.ListBrandKits(calls.ListBrandKitsRequest(), metadata=as_user(user_id))
        return list(listed.brand_kits)


def settings(data_dir: Path, nats_url: str = NO_NATS, **given: str) -> Settings:
    """On a free port and a database of its own."""
    environ = {
        **database_settings(data_dir),
        "STUDIO_DATA_DIR": str(data_dir),
        "NATS_URL": nats_url,
        "JWT_SECRET": USER_SECRET,
        "SERVICE_JWT_SECRET": SERVICE_SECRET,
        "PROMPT_PORT": "0",
        "STORAGE_ADDRESS": NOBODY_LISTENS,
    }
    return read_settings(Settings, {**environ, **given})


@asynccontextmanager
async def running_prompt_service(settings: Settings, role: Role = Role.ALL) -> AsyncIterator[PromptService]:
    async with AsyncExitStack() as stack:
        service = await wiring.build(settings, role, stack)
        port = await stack.enter_async_context(running(service))
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        yield PromptService(channel, BrandKitServiceStub(channel), PromptServiceStub(channel))


def as_user(user_id: str) -> tuple[tuple[str, str], ...]:
    return bearer(user_token(user_id))


def a_create_request(**given: Any) -> calls.CreateBrandKitRequest:
    values: dict[str, Any] = {
        "name": "Gaming Stream Kit",
        "primary_colors": ["#FF0055"],
        "fonts": Fonts(headline="Montserrat", body="Inter"),
    }
    return calls.CreateBrandKitRequest(**{**values, **given})


def colors(*colors: str) -> ListValue:
    return ListValue(values=[Value(string_value=color) for color in colors])


def an_update(brand_kit_id: str, **given: Any) -> calls.UpdateBrandKitRequest:
    return calls.UpdateBrandKitRequest(brand_kit_id=brand_kit_id, **given)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a call was refused."""

    code: grpc.StatusCode
    reason: str
    metadata: dict[str, str]
    fields: list[str]
    """Of the request, by path."""
    message: str
    retry_after: float | None
    """Seconds, as RetryInfo says."""
    headers: dict[str, str]
    """Initial metadata: over REST, headers."""


async def refusal(call: Awaitable[object]) -> Refusal:
    """The refusal of a call that must not succeed."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)  # type: ignore[arg-type]  # has what it needs of a call
    assert status is not None
    info, bad, wait = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for detail in status.details:
        assert detail.Unpack(info) or detail.Unpack(bad) or detail.Unpack(wait)
    fields = [violation.field for violation in bad.field_violations]
    return Refusal(
        caught.value.code(),
        info.reason,
        dict(info.metadata),
        fields,
        status.message,
        wait.retry_delay.ToMilliseconds() / 1000 if wait.HasField("retry_delay") else None,
        {key: str(value) for key, value in caught.value.initial_metadata()},
    )
