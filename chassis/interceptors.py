"""What happens around every RPC: request id, caller, policy, validation, errors; once, for all four shapes."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any, TypeAlias

import grpc
from google.protobuf.message import DecodeError, Message

from chassis import status
from chassis.auth import NOBODY, Access, Policy, TokenVerifier, set_caller
from chassis.errors import Invalid, ServiceError, Unavailable
from chassis.telemetry import bind_log_context
from chassis.validation import validate

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Serve = Callable[[Any, Context], Awaitable[Any]]

NEWS_TAKES = 0.1
"""Seconds within which we hear for certain that a caller has gone."""
LONGEST_CAUSE = 300
"""Characters; a gRPC error repeats itself at length."""
# It travels on in headers of calls and messages.
_REQUEST_ID = re.compile(r"[!-~]{1,128}")


def header(context: Context, name: str) -> str | None:
    """A metadata entry of the request; the gateway passes HTTP headers on as such."""
    for key, value in context.invocation_metadata() or ():
        if key == name:
            return value if isinstance(value, str) else value.decode("ascii", "replace")
    return None


class Guard(grpc.aio.ServerInterceptor):
    """Lets a known caller's valid request through to its servicer, and every error out in one shape."""

    def __init__(self, policy: Policy, verifier: TokenVerifier) -> None:
        self._policy = policy
        self._verifier = verifier
        self._guarded: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Wraps a method's handler the first time it is called."""
        method = details.method
        guarded = self._guarded.get(method)
        if guarded is None:
            handler = await continuation(details)
            if handler is None:  # no such method: grpc answers UNIMPLEMENTED
                return handler
            guarded = self._guarded[method] = self._guard(method, handler)
        return guarded

    def _guard(self, method: str, handler: Handler) -> Handler:
        inner, make = _shape(handler)
        serve: Serve = _writing(inner) if handler.response_streaming else inner

        async def call(request: Any, context: Context) -> Any:
            request_id = _bind_request_id(context)
            try:
                return await serve(await self._admit(method, handler, request, context), context)
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or task.cancelling():  # the caller has gone, or the server stops
                    raise
                # Something the servicer waited for was cancelled; grpc would leave the caller without an answer.
                await _refuse(method, request_id, context, error)
            except grpc.aio.InternalError as error:
                # Mostly words to a caller who has gone: that news cancels us in a moment. Else a call of ours broke.
                await asyncio.sleep(NEWS_TAKES)
                await _refuse(method, request_id, context, error)
            except Exception as error:
                await _refuse(method, request_id, context, error)

        guarded: Handler = make(
            call,
            request_deserializer=handler.request_deserializer and _reading(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )
        return guarded

    async def _admit(self, method: str, handler: Handler, request: Any, context: Context) -> Any:
        if self._policy.access(method) is Access.PUBLIC:
            set_caller(NOBODY)
        else:
            caller = await self._verifier.verify(header(context, "authorization"))
            self._policy.check(method, caller)
            set_caller(caller)
        if handler.request_streaming:
            return _validated(request, context)
        return _checked(request)


def _reading(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Reads a request; what is none is refused when it is served, for here grpc would tell the caller its own words."""

    def read(data: bytes) -> Any:
        try:
            return deserialize(data)
        except DecodeError:
            return Invalid("the request cannot be read")

    return read


def _checked(request: Message | Invalid) -> Message:
    if isinstance(request, Invalid):
        raise request
    validate(request)
    return request


def _writing(inner: Callable[[Any, Context], Any]) -> Serve:
    """Writes what a servicer yields, so that its generator is closed in its own task when the caller goes."""

    async def serve(request: Any, context: Context) -> None:
        responses = inner(request, context)
        if asyncio.iscoroutine(responses):  # a servicer that writes by itself, as grpc's own for health
            await responses
            return
        async with aclosing(responses):
            async for response in responses:
                await context.write(response)

    return serve


async def _validated(requests: AsyncIterator[Message], context: Context) -> AsyncIterator[Message]:
    async for request in requests:
        yield _checked(request)
    # A stream whose caller has gone ends like one that is complete. Sending the headers tells: it is cancelled then.
    with suppress(grpc.aio.UsageError):
        await context.send_initial_metadata(())


async def _refuse(method: str, request_id: str, context: Context, error: BaseException) -> None:
    """Ends the RPC with the error's status; what nobody foresaw is logged whole and says nothing."""
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, ServiceError):
        _note(method, error)
    else:
        log.error("unforeseen error", extra={"method": method}, exc_info=error)
        error = status.internal(request_id)
    headers = status.headers(error)
    if headers:
        with suppress(grpc.aio.UsageError):  # too late for headers: a stream has begun
            await context.send_initial_metadata(headers)
    details = status.to_status(error).SerializeToString()
    await context.abort(status.CODES[error.kind], error.message, (("grpc-status-details-bin", details),))


def _note(method: str, error: ServiceError) -> None:
    """Says what somebody must mend; what a caller did wrong is told to the caller."""
    if isinstance(error, Unavailable) and error.__cause__ is not None:
        why = repr(error.__cause__)[:LONGEST_CAUSE]
        log.warning("refused", extra={"method": method, "reason": error.reason, "why": why})
    else:
        log.info("refused", extra={"method": method, "reason": error.reason})
    log.debug("refused because", exc_info=error)


def _bind_request_id(context: Context) -> str:
    given = header(context, "x-request-id")
    request_id = given if given and _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
    bind_log_context(request_id=request_id)
    return request_id


def _shape(handler: Handler) -> tuple[Any, Any]:
    if handler.request_streaming and handler.response_streaming:
        return handler.stream_stream, grpc.stream_stream_rpc_method_handler
    if handler.request_streaming:
        return handler.stream_unary, grpc.stream_unary_rpc_method_handler
    if handler.response_streaming:
        return handler.unary_stream, grpc.unary_stream_rpc_method_handler
    return handler.unary_unary, grpc.unary_unary_rpc_method_handler
