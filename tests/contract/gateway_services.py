"""The three services as the gateway's tests need them: real gRPC servers that answer what a test tells them to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status.rpc_status import to_status

from chassis.server import OPTIONS
from gateway.settings import Address
from streamerstudio.generation.v1 import generation_service_pb2, generation_service_pb2_grpc
from streamerstudio.prompt.v1 import (
    brand_kit_service_pb2,
    brand_kit_service_pb2_grpc,
    prompt_service_pb2,
    prompt_service_pb2_grpc,
)
from streamerstudio.storage.v1 import (
    storage_service_pb2,
    storage_service_pb2_grpc,
    upload_service_pb2,
    upload_service_pb2_grpc,
)

Context = grpc.aio.ServicerContext[Any, Any]
Metadata = Sequence[tuple[str, str]]
Answer = Callable[[Any, Context], AsyncIterator[Message]]
"""Yields what a method answers; a unary one answers with the first."""

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICES = {
    "prompt": (
        (prompt_service_pb2.DESCRIPTOR.services_by_name["PromptService"], prompt_service_pb2_grpc),
        (brand_kit_service_pb2.DESCRIPTOR.services_by_name["BrandKitService"], brand_kit_service_pb2_grpc),
    ),
    "generation": (
        (generation_service_pb2.DESCRIPTOR.services_by_name["GenerationService"], generation_service_pb2_grpc),
    ),
    "storage": (
        (storage_service_pb2.DESCRIPTOR.services_by_name["StorageService"], storage_service_pb2_grpc),
        (upload_service_pb2.DESCRIPTOR.services_by_name["UploadService"], upload_service_pb2_grpc),
    ),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call that reached a service; the request of a client stream is the last one of it."""

    service: str
    method: str
    request: Any
    metadata: dict[str, str]


@dataclass(slots=True)
class Stage:
    """What the services answer by method name, and what they were asked."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def clear(self) -> None:
        self.answers.clear()
        self.calls.clear()

    @property
    def call(self) -> Call:
        """The only one."""
        [call] = self.calls
        return call


class Health(health_pb2_grpc.HealthServicer):
    """Says what `states` says; a name whose state is None never gets an answer."""

    def __init__(self) -> None:
        self.states: dict[str, int | None] = {"": SERVING, "ready": SERVING}

    async def Check(self, request: Any, context: Any) -> health_pb2.HealthCheckResponse:
        state = self.states[request.service]
        if state is None:
            await asyncio.Event().wait()
        return health_pb2.HealthCheckResponse(status=state)


@dataclass(slots=True)
class Running:
    """A service that listens."""

    address: Address
    health: Health
    server: grpc.aio.Server


def says(*messages: Message, metadata: Metadata = ()) -> Answer:
    async def answer(request: Any, context: Context) -> AsyncIterator[Message]:
        if metadata:
            await context.send_initial_metadata(tuple(metadata))
        for message in messages:
            yield message

    return answer


def refuses(status: status_pb2.Status, *messages: Message, metadata: Metadata = ()) -> Answer:
    """An error as the services send it, after the messages."""

    async def answer(request: Any, context: Context) -> AsyncIterator[Message]:
        if metadata:
            await context.send_initial_metadata(tuple(metadata))
        for message in messages:
            yield message
        await context.abort_with_status(to_status(status))

    return answer


def hangs(request: Any, context: Context) -> AsyncIterator[Message]:
    return _never()


async def _never() -> AsyncIterator[Message]:
    await asyncio.Event().wait()
    yield status_pb2.Status()


def error(code: int, message: str, reason: str, *details: Message, **metadata: str) -> status_pb2.Status:
    status = status_pb2.Status(code=code, message=message)
    info = error_details_pb2.ErrorInfo(reason=reason, domain="streamerstudio", metadata=metadata)
    for detail in (info, *details):
        status.details.add().Pack(detail)
    return status


@asynccontextmanager
async def running_services(stage: Stage) -> AsyncIterator[dict[str, Running]]:
    running = {name: await start(name, stage) for name in SERVICES}
    try:
        yield running
    finally:
        await asyncio.gather(*(service.server.stop(None) for service in running.values()))


async def start(name: str, stage: Stage, port: int = 0) -> Running:
    """Starts one service, on the port or on a free one."""
    server = grpc.aio.server(options=OPTIONS)
    health = Health()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    for descriptor, stubs in SERVICES[name]:
        base = getattr(stubs, f"{descriptor.name}Servicer")
        getattr(stubs, f"add_{descriptor.name}Servicer_to_server")(_servicer(name, base, descriptor, stage), server)
    reflection.enable_server_reflection([descriptor.full_name for descriptor, _ in SERVICES[name]], server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    return Running(Address("127.0.0.1", port), health, server)


def _servicer(name: str, base: type, descriptor: ServiceDescriptor, stage: Stage) -> Any:
    methods = {method.name: _method(name, method, stage) for method in descriptor.methods}
    return type(descriptor.name, (base,), methods)()


def _method(service: str, method: MethodDescriptor, stage: Stage) -> Any:
    def answer(request: Any, context: Context) -> AsyncIterator[Message]:
        metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
        stage.calls.append(Call(service, method.name, request, metadata))
        canned = says(method.output_type._concrete_class())  # type: ignore[attr-defined]
        return stage.answers.get(method.name, canned)(request, context)

    async def unary(self: Any, request: Any, context: Context) -> Message:
        if method.client_streaming:
            request = [part async for part in request]
        return await anext(answer(request, context))

    async def stream(self: Any, request: Any, context: Context) -> AsyncIterator[Message]:
        async for message in answer(request, context):
            yield message

    return stream if method.server_streaming else unary
