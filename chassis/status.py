"""The one table from kinds of error to gRPC codes, and an error as it goes on the wire."""

from __future__ import annotations

import math

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

from chassis.errors import Exhausted, Internal, Invalid, Kind, Quota, ServiceError

DOMAIN = "streamerstudio"
# A thousand violations in a header would make Envoy answer 502.
MAX_VIOLATIONS = 16

CODES: dict[Kind, grpc.StatusCode] = {
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.CONFLICT: grpc.StatusCode.ALREADY_EXISTS,
    Kind.FAILED_PRECONDITION: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
}


def to_status(error: ServiceError) -> status_pb2.Status:
    """Puts an error on the wire: code, message, exactly one ErrorInfo, and what its kind adds."""
    status = status_pb2.Status(code=code_pb2.Code.Value(CODES[error.kind].name), message=error.message)
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
    status.details.add().Pack(info)
    if isinstance(error, Invalid) and error.violations:
        status.details.append(_bad_request(error))
    if isinstance(error, Exhausted) and error.retry_after is not None:
        status.details.append(_retry_info(error.retry_after))
    return status


def headers(error: ServiceError) -> tuple[tuple[str, str], ...]:
    """Initial metadata that becomes HTTP headers; the gateway drops trailing metadata."""
    if not isinstance(error, Exhausted):
        return ()
    wait = () if error.retry_after is None else (("retry-after", str(max(1, math.ceil(error.retry_after)))),)
    return (*wait, *quota_headers(error.quota))


def quota_headers(quota: Quota | None) -> tuple[tuple[str, str], ...]:
    """Initial metadata of an answer to a call that is limited; none for one that is not."""
    if quota is None:
        return ()
    return (
        ("ratelimit-limit", str(quota.limit)),
        ("ratelimit-remaining", str(quota.remaining)),
        ("ratelimit-reset", str(quota.reset)),
    )


def internal(request_id: str) -> Internal:
    """What a caller is told of anything unforeseen."""
    return Internal("internal error", metadata={"request_id": request_id})


def _bad_request(error: Invalid) -> any_pb2.Any:
    detail = error_details_pb2.BadRequest()
    for violation in error.violations[:MAX_VIOLATIONS]:
        detail.field_violations.add(field=violation.field, description=violation.description)
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


def _retry_info(seconds: float) -> any_pb2.Any:
    delay = duration_pb2.Duration()
    delay.FromMilliseconds(round(seconds * 1000))
    packed = any_pb2.Any()
    packed.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return packed
