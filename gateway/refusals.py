"""Every answer the gateway gives by itself: one table, read by Envoy's local replies and by `response.lua`.

Envoy's own words name addresses, flags and its inner workings; these sentences stand in their place. Callers of REST
get them as JSON in the one error shape, callers of gRPC as a status with the same ErrorInfo in its details.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

DOMAIN = "streamerstudio"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
NATIVE_GRPC = {
    "and_filter": {
        "filters": [
            {"header_filter": {"header": {"name": "content-type", "string_match": {"prefix": "application/grpc"}}}},
            # What the transcoder made of a REST call has this, and the same content type.
            {"header_filter": {"header": {"name": "x-envoy-original-path", "present_match": False}}},
        ]
    }
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a caller is told."""

    status: int
    """HTTP."""
    code: int
    """gRPC."""
    reason: str
    """One of ErrorReason."""
    message: str


@dataclass(frozen=True, slots=True)
class Case:
    """When Envoy would say something of its own, and what is said instead."""

    status: int
    """The HTTP status that Envoy has in mind."""
    refusal: Refusal
    when: str | None = None
    """What must hold besides, if anything, as a CEL expression over the request and Envoy's response code details."""
    explained: bool = False
    """Whether Envoy's text goes along as the message, for `response.lua` to take the field's name from."""


BAD_REQUEST = Refusal(400, code_pb2.INVALID_ARGUMENT, "INVALID_REQUEST", "the request cannot be understood")
NO_TOKEN = Refusal(401, code_pb2.UNAUTHENTICATED, "UNAUTHENTICATED", "a valid access token is needed")
EXPIRED = Refusal(401, code_pb2.UNAUTHENTICATED, "TOKEN_EXPIRED", "the access token has expired")
NO_ROUTE = Refusal(404, code_pb2.NOT_FOUND, "ROUTE_NOT_FOUND", "there is no such call")
TOO_SLOW = Refusal(408, code_pb2.INVALID_ARGUMENT, "INVALID_REQUEST", "the request did not arrive in time")
TOO_LARGE = Refusal(413, code_pb2.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE", "the body is over 64 KiB")
TOO_MANY = Refusal(429, code_pb2.RESOURCE_EXHAUSTED, "RATE_LIMIT", "too many requests; try again in a moment")
HEADERS_TOO_LARGE = Refusal(431, code_pb2.INVALID_ARGUMENT, "INVALID_REQUEST", "the headers are too large")
INTERNAL = Refusal(500, code_pb2.INTERNAL, "INTERNAL", "internal error")
# A 503 promises that nothing was accepted. Of a call that changes something and whose answer got lost, nobody knows.
LOST = Refusal(502, code_pb2.INTERNAL, "INTERNAL", "the answer was lost; see what became of it before trying again")
UNAVAILABLE = Refusal(503, code_pb2.UNAVAILABLE, "UNAVAILABLE", "something we need is down; try again in a moment")
NO_ANSWER = Refusal(
    504, code_pb2.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "no answer in time; see what became of it before trying again"
)

# The first one that fits holds.
CASES = (
    Case(400, BAD_REQUEST, "response.code_details.contains('grpc_json_transcode_failure')", explained=True),
    Case(401, EXPIRED, "response.code_details.contains('Jwt_is_expired')"),
    Case(401, UNAVAILABLE, "response.code_details.contains('Jwks_remote_fetch_is_failed')"),
    Case(
        503,
        LOST,
        "response.code_details.startsWith('upstream_reset_')"
        " && !response.code_details.contains('connection_failure')"
        " && request.headers['x-envoy-original-method'] != 'GET'",
    ),
    Case(400, BAD_REQUEST),
    Case(401, NO_TOKEN),
    Case(403, NO_ROUTE),
    Case(404, NO_ROUTE),
    Case(408, TOO_SLOW),
    Case(413, TOO_LARGE),
    Case(429, TOO_MANY),
    Case(431, HEADERS_TOO_LARGE),
    Case(501, BAD_REQUEST, "response.code_details == 'http1.invalid_transfer_encoding'"),
    Case(502, LOST),
    Case(503, UNAVAILABLE),
    Case(504, NO_ANSWER),
)


def local_reply_mappers() -> list[dict[str, Any]]:
    """Envoy's `local_reply_config.mappers`."""
    return [_ready(), *(mapper for case in CASES for mapper in (_native(case), _rest(case))), *_anything_else()]


def lua_refusals() -> str:
    """The table as a Lua expression, by HTTP status: for answers of services that are not in our shape."""
    by_status = {case.status: case.refusal for case in CASES if case.when is None}
    rows = (
        f'["{status}"] = {{status = "{refusal.status}", code = {refusal.code}, '
        f"reason = {json.dumps(refusal.reason)}, message = {json.dumps(refusal.message)}}}"
        for status, refusal in {**by_status, 500: INTERNAL}.items()
    )
    return "{" + ", ".join(rows) + "}"


def _rest(case: Case) -> dict[str, Any]:
    return {
        "filter": _all_of(_status("EQ", case.status), _cel(case.when)),
        **_json_answer(case.refusal, "%LOCAL_REPLY_BODY%" if case.explained else case.refusal.message),
    }


def _native(case: Case) -> dict[str, Any]:
    return {"filter": _all_of(NATIVE_GRPC, _status("EQ", case.status), _cel(case.when)), **_grpc_answer(case.refusal)}


def _anything_else() -> Iterator[dict[str, Any]]:
    """Statuses nobody thought of keep their number, and say no more than their class."""
    for at_least, refusal in ((500, INTERNAL), (400, BAD_REQUEST)):
        yield {"filter": _all_of(NATIVE_GRPC, _status("GE", at_least)), **_grpc_answer(refusal)}
        rest = _json_answer(refusal, refusal.message)
        yield {"filter": _status("GE", at_least), "body_format_override": rest["body_format_override"]}


def _ready() -> dict[str, Any]:
    path = {"name": ":path", "string_match": {"prefix": "/readyz"}}
    return {
        "filter": _all_of(_status("EQ", 200), {"header_filter": {"header": path}}),
        "body": {"inline_string": "ready"},
    }


def _json_answer(refusal: Refusal, message: str) -> dict[str, Any]:
    metadata = {"request_id": "%REQ(X-REQUEST-ID)%"} if refusal.code == code_pb2.INTERNAL else {}
    info = {"@type": ERROR_INFO, "reason": refusal.reason, "domain": DOMAIN, "metadata": metadata}
    error = {"code": refusal.reason, "message": message}
    answer = {"code": refusal.code, "message": message, "details": [info], "error": error}
    return {"status_code": refusal.status, "body_format_override": {"json_format": answer}}


def _grpc_answer(refusal: Refusal) -> dict[str, Any]:
    """Trailers-only: Envoy takes the body for the message, and keeps a status that is already there."""
    # To gRPC, a call that is not there is not a thing that was not found.
    code = code_pb2.UNIMPLEMENTED if refusal is NO_ROUTE else refusal.code
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason=refusal.reason, domain=DOMAIN))
    status = status_pb2.Status(code=code, message=refusal.message, details=[info])
    details = base64.b64encode(status.SerializeToString(deterministic=True)).rstrip(b"=").decode()
    headers = {"grpc-status": str(code), "grpc-status-details-bin": details}
    return {
        "body": {"inline_string": refusal.message},
        "headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in headers.items()
        ],
    }


def _all_of(*filters: dict[str, Any] | None) -> dict[str, Any]:
    present = [each for each in filters if each]
    return {"and_filter": {"filters": present}} if len(present) > 1 else present[0]


def _status(op: str, status: int) -> dict[str, Any]:
    # Envoy wants a runtime key to override the number by; nothing sets it.
    value = {"default_value": status, "runtime_key": f"gateway.refusals.{op}_{status}"}
    return {"status_code_filter": {"comparison": {"op": op, "value": value}}}


def _cel(expression: str | None) -> dict[str, Any] | None:
    if expression is None:
        return None
    config = {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
        "expression": expression,
    }
    return {"extension_filter": {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": config}}
