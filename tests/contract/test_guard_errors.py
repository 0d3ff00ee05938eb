"""The Guard around a real server: in what shape errors get out, from all four shapes of method."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.rpc import error_details_pb2

from chassis.errors import (
    Conflict,
    Exhausted,
    FailedPrecondition,
    FieldViolation,
    Forbidden,
    Internal,
    Invalid,
    Kind,
    NotFound,
    NotOwner,
    ServiceError,
    Unauthenticated,
    Unavailable,
)
from chassis.status import CODES
from streamerstudio.storage.v1.asset_pb2 import Asset
from tests.scripted import ADA, ASSET, CHUNK, FILE, SERVICE, Context, failure, parts, raising, serving

SECRET = "postgresql://studio:hunter2@db.internal/assets"


class Lost(NotFound):
    reason = "ASSET_NOT_FOUND"


class Taken(Conflict):
    reason = "IDEMPOTENCY_KEY_REUSED"


class TooLate(FailedPrecondition):
    reason = "INVALID_STATE_TRANSITION"


class TooMany(Exhausted):
    reason = "RATE_LIMIT"


ONE_OF_EACH: list[ServiceError] = [
    Invalid.field("count", "must be at least 1"),
    Unauthenticated("who are you?"),
    NotOwner("somebody else's", metadata={"asset_id": "4f0c"}),
    Lost("asset 4f0c was not found", metadata={"asset_id": "4f0c"}),
    Taken("used before"),
    TooLate("it is over"),
    TooMany("slow down", retry_after=2.5),
    Unavailable("not now"),
    Internal("internal error", metadata={"request_id": "4f0c"}),
]


def test_there_is_one_of_each_kind() -> None:
    assert {error.kind for error in ONE_OF_EACH} == set(Kind)


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda error: type(error).__name__)
async def test_every_kind_of_error_arrives_in_one_shape_from_every_shape_of_method(error: ServiceError) -> None:
    async def broken(*_: Any) -> AsyncGenerator[Any, None]:
        raise error
        yield

    async with serving(asset=raising(error), upload=raising(error), file=broken, chat=broken) as service:
        failures = [
            await failure(service.stub.GetAsset(ASSET, metadata=ADA)),
            await failure(service.stub.UploadAsset(iter([CHUNK]), metadata=SERVICE)),
            await failure(parts(service.stub.GetFile(FILE))),
            await failure(parts(service.chat(iter([CHUNK]), metadata=ADA))),
        ]

    for failed in failures:
        assert (failed.code, failed.message, failed.reason) == (CODES[error.kind], error.message, error.reason)
        assert failed.metadata == error.metadata


async def test_at_most_sixteen_violations_are_sent() -> None:
    error = Invalid("too much", violations=[FieldViolation(f"field_{n}", "is wrong") for n in range(1000)])

    async with serving(asset=raising(error)) as service:
        failed = await failure(service.stub.GetAsset(ASSET, metadata=ADA))

    assert failed.fields == [f"field_{n}" for n in range(16)]


async def test_a_limit_says_when_to_come_back() -> None:
    async with serving(asset=raising(TooMany("slow down", retry_after=2.5))) as service:
        failed = await failure(service.stub.GetAsset(ASSET, metadata=ADA))

    (retry,) = failed.find(error_details_pb2.RetryInfo)
    assert retry.retry_delay.ToMilliseconds() == 2500
    assert failed.headers["retry-after"] == "3"


async def test_a_limit_that_waiting_does_not_help_says_nothing_of_time() -> None:
    async with serving(asset=raising(TooMany("no more"))) as service:
        failed = await failure(service.stub.GetAsset(ASSET, metadata=ADA))

    assert not failed.find(error_details_pb2.RetryInfo)
    assert "retry-after" not in failed.headers


async def test_a_limit_met_after_the_headers_were_sent_is_still_a_limit() -> None:
    async def asset(context: Context) -> Asset:
        await context.send_initial_metadata((("x-http-code", "201"),))
        raise TooMany("slow down", retry_after=1)

    async with serving(asset=asset) as service:
        failed = await failure(service.stub.GetAsset(ASSET, metadata=ADA))

    assert (failed.code, failed.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMIT")
    assert len(failed.find(error_details_pb2.RetryInfo)) == 1


@pytest.mark.parametrize(
    "error",
    [
        KeyError(SECRET),
        RuntimeError(SECRET),
        ExceptionGroup(SECRET, [NotOwner("x")]),
        TimeoutError(SECRET),
        NotImplementedError(SECRET),
        grpc.aio.InternalError(SECRET),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_nobody_foresaw_says_nothing_and_is_logged_whole(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(asset=raising(error)) as service:
        metadata = (*ADA, ("x-request-id", "look-here"))
        failed = await failure(service.stub.GetAsset(ASSET, metadata=metadata))

    assert (failed.code, failed.message) == (grpc.StatusCode.INTERNAL, "internal error")
    assert (failed.reason, failed.metadata, len(failed.details)) == ("INTERNAL", {"request_id": "look-here"}, 1)
    assert "hunter2" not in str(failed)
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None and record.exc_info[1] is error


@pytest.mark.parametrize("error", [Unavailable("try again"), NotOwner("somebody else's")])
async def test_no_line_at_info_holds_what_an_error_was_made_of(
    error: ServiceError, caplog: pytest.LogCaptureFixture
) -> None:
    error.__cause__ = RuntimeError(SECRET)
    with caplog.at_level(logging.INFO):
        async with serving(asset=raising(error)) as service:
            await failure(service.stub.GetAsset(ASSET, metadata=ADA))

    (refused,) = [record for record in caplog.records if record.message == "refused"]
    for_somebody_to_mend = isinstance(error, Unavailable)
    assert refused.levelno == (logging.WARNING if for_somebody_to_mend else logging.INFO)
    assert ("hunter2" in str(vars(refused))) == for_somebody_to_mend


async def test_an_error_without_a_reason_of_its_own_is_a_mistake_of_ours() -> None:
    async def asset(_: Context) -> Asset:
        raise Forbidden("no")

    async with serving(asset=asset) as service:
        failed = await failure(service.stub.GetAsset(ASSET, metadata=ADA))

    assert (failed.message, failed.reason) == ("internal error", "INTERNAL")


async def test_a_servicer_that_is_cancelled_from_within_does_not_leave_its_caller_waiting() -> None:
    async with serving(asset=raising(asyncio.CancelledError())) as service:
        failed = await failure(service.stub.GetAsset(ASSET, metadata=ADA, timeout=10))

    assert (failed.message, failed.reason) == ("internal error", "INTERNAL")


@pytest.mark.parametrize(
    ("error", "reason"), [(TooMany("slow down", retry_after=1), "RATE_LIMIT"), (KeyError(SECRET), "INTERNAL")]
)
async def test_an_error_in_the_middle_of_a_stream_ends_it(error: Exception, reason: str) -> None:
    async def file(_: Context) -> AsyncGenerator[HttpBody, None]:
        yield HttpBody(data=b"1")
        yield HttpBody(data=b"2")
        raise error

    async with serving(file=file) as service:
        call = service.stub.GetFile(FILE)
        heard = [await call.read(), await call.read()]
        failed = await failure(call.read())

    assert heard == [HttpBody(data=b"1"), HttpBody(data=b"2")]
    assert failed.reason == reason


async def test_a_servicers_own_abort_is_passed_on() -> None:
    async def asset(context: Context) -> Asset:
        await context.abort(grpc.StatusCode.DATA_LOSS, "gone for good")

    async with serving(asset=asset) as service:
        failed = await failure(service.stub.GetAsset(ASSET, metadata=ADA))

    assert (failed.code, failed.message, failed.details) == (grpc.StatusCode.DATA_LOSS, "gone for good", [])


async def test_bytes_that_are_no_message_are_refused_in_our_words() -> None:
    async with serving() as service:
        raw: Any = service.channel.unary_unary("/streamerstudio.storage.v1.StorageService/GetAsset")

        refused = await failure(raw(b"\xff\xff\xff", metadata=ADA))

    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert refused.message == "the request cannot be read"
