"""A small service whose methods do what a test says, behind the real Guard on a real port."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from chassis.auth import Access, TokenVerifier, grpc_methods
from chassis.server import Service, running
from streamerstudio.storage.v1.asset_pb2 import Asset, AssetList, UploadResult
from streamerstudio.storage.v1.storage_service_pb2 import (
    GetAssetRequest,
    GetFileRequest,
    ListAssetsRequest,
    UploadAssetRequest,
)
from streamerstudio.storage.v1.storage_service_pb2_grpc import (
    StorageServiceServicer,
    StorageServiceStub,
    add_StorageServiceServicer_to_server,
)
from tests.builders import SERVICE_SECRET, USER_SECRET, bearer, service_token, user_token

if TYPE_CHECKING:
    from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceAsyncStub

Context = grpc.aio.ServicerContext[Any, Any]
Chat: TypeAlias = "grpc.aio.StreamStreamMultiCallable[Any, Any]"
M = TypeVar("M", bound=Message)

NAME = "streamerstudio.storage.v1.StorageService"
CHAT = "/tests.Chat/Chat"
METHODS = {
    **grpc_methods(NAME, {"GetAsset": Access.USER, "UploadAsset": Access.SERVICE, "GetFile": Access.PUBLIC}),
    CHAT: Access.USER,
}
"""ListAssets is in no table, though it is served."""
ASSET = GetAssetRequest(asset_id="4f0c0000-0000-4000-8000-000000000000")


FILE = GetFileRequest(path="a/b.png")
CHUNK = UploadAssetRequest(chunk=b"x")
ADA, SERVICE = bearer(user_token("ada")), bearer(service_token())


async def fine() -> None:
    """A check that passes."""


def raising(error: BaseException) -> Any:
    """A script for any method but a response stream."""

    async def script(*_: Any) -> Any:
        raise error

    return script


@dataclass(frozen=True)
class Script(StorageServiceServicer):
    """What each method does; one without a script answers with nothing in it."""

    asset: Callable[[Context], Awaitable[Asset]] | None = None
    file: Callable[[Context], AsyncGenerator[HttpBody, None]] | None = None
    upload: Callable[[AsyncIterator[UploadAssetRequest]], Awaitable[UploadResult]] | None = None
    chat: Callable[[AsyncIterator[UploadAssetRequest]], AsyncGenerator[Asset, None]] | None = None

    async def GetAsset(self, request: Message, context: Context) -> Asset:
        return await self.asset(context) if self.asset else Asset()

    async def ListAssets(self, request: ListAssetsRequest, context: Context) -> AssetList:
        return AssetList()

    async def UploadAsset(self, requests: AsyncIterator[UploadAssetRequest], context: Context) -> UploadResult:
        return await self.upload(requests) if self.upload else UploadResult()

    async def GetFile(self, request: Message, context: Context) -> AsyncIterator[HttpBody]:
        if self.file is not None:
            async with aclosing(self.file(context)) as parts:
                async for part in parts:
                    yield part

    async def Chat(self, requests: AsyncIterator[UploadAssetRequest], context: Context) -> AsyncIterator[Asset]:
        """Of a service that no proto knows: no method of ours streams both ways."""
        if self.chat is not None:
            async with aclosing(self.chat(requests)) as answers:
                async for answer in answers:
                    yield answer

    def register(self, server: grpc.aio.Server) -> None:
        add_StorageServiceServicer_to_server(self, server)
        chat = grpc.stream_stream_rpc_method_handler(
            self.Chat,
            request_deserializer=UploadAssetRequest.FromString,
            response_serializer=Asset.SerializeToString,
        )
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("tests.Chat", {"Chat": chat}),))


@dataclass(frozen=True, slots=True)
class Scripted:
    """The running service, as its callers see it."""

    channel: grpc.aio.Channel
    stub: StorageServiceAsyncStub
    chat: Chat


def a_service(script: Script, **given: Any) -> Service:
    """Healthy, on a free port, without work of its own."""
    values: dict[str, Any] = {
        "name": "scripted", "port": 0, "methods": METHODS, "register": [script.register], "serving": fine,
        "ready": fine, "service_names": [NAME],
        "verifier": TokenVerifier(user_secret=USER_SECRET, service_secret=SERVICE_SECRET),
    }  # fmt: skip
    return Service(**{**values, **given})


@asynccontextmanager
async def serving(**script: Any) -> AsyncIterator[Scripted]:
    """The service with these scripts."""
    script_of_all = Script(**script)  # type: ignore[abstract]  # of the methods it leaves out, none is called
    async with (
        running(a_service(script_of_all), grace=0.5) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        chat: Chat = channel.stream_stream(
            CHAT, request_serializer=UploadAssetRequest.SerializeToString, response_deserializer=Asset.FromString
        )
        yield Scripted(channel, StorageServiceStub(channel), chat)


@dataclass(frozen=True, slots=True)
class Failure:
    """How a call failed, with everything that the wire says about it."""

    code: grpc.StatusCode
    message: str
    headers: dict[str, str | bytes]
    details: list[any_pb2.Any]

    @property
    def reason(self) -> str:
        """Of the one ErrorInfo there is."""
        (info,) = self.find(error_details_pb2.ErrorInfo)
        assert info.domain == "streamerstudio"
        return str(info.reason)

    @property
    def metadata(self) -> dict[str, str]:
        """Of the one ErrorInfo there is."""
        (info,) = self.find(error_details_pb2.ErrorInfo)
        return dict(info.metadata)

    @property
    def fields(self) -> list[str]:
        """Whose rules were broken."""
        return [each.field for bad in self.find(error_details_pb2.BadRequest) for each in bad.field_violations]

    def find(self, kind: type[M]) -> list[M]:
        """The details of one kind."""
        found = [(kind(), detail) for detail in self.details]
        return [message for message, detail in found if detail.Unpack(message)]


async def failure(call: Awaitable[Any]) -> Failure:
    """The failure of a call that must not succeed."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        status = rpc_status.from_call(error)  # type: ignore[arg-type]  # has what it needs of a call
        headers = dict(error.initial_metadata() or ())
        return Failure(error.code(), error.details() or "", headers, list(status.details) if status else [])
    raise AssertionError(f"it succeeded: {answer}")


async def parts(call: AsyncIterable[Any]) -> list[Any]:
    """Everything a stream says."""
    return [part async for part in call]
