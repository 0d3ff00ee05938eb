"""The errors of the API, as its OpenAPI document says them: the one shape, and the catalogue of reasons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gateway.reference.descriptors import Api

REASONS = "streamerstudio.error.v1.ErrorReason"
STATUSES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
}
MEANINGS = {
    400: "The request cannot be served as it stands.",
    401: "No token, a bad one, or an expired one.",
    403: "It is not the caller's.",
    404: "There is no such thing.",
    409: "The name is taken by something else.",
    413: "The body is over 64 KiB, or a picture that is uploaded over 10 MiB.",
    429: "Too much; `Retry-After` says when to come back.",
    500: "Unforeseen; the answer names the request.",
    503: "Something is down, and nothing was accepted.",
}
# How a reason's comment ends its first sentence: "… NOT_FOUND, 404."
SAID = re.compile(r"\b([A-Z_]+), (\d{3})\b")


def error_components(api: Api) -> dict[str, Any]:
    """Shared responses, one for each status, and the schema of an error."""
    reasons = api.pool.FindEnumTypeByName(REASONS)
    known = {value.name: api.value_comment(reasons, value.name) for value in reasons.values if value.number}
    responses = {
        str(status): {
            "description": " ".join([meaning, *_reasons(known, status)]),
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status, meaning in MEANINGS.items()
    }
    return {"responses": responses, "schemas": {"Error": _error(known)}}


def error_responses(comment: str, *, is_open: bool, has_body: bool) -> dict[str, Any]:
    """References for what a method's comment says it returns, and for what any method may."""
    said = {status for code, status in STATUSES.items() if re.search(rf"\b{code}\b", comment)}
    statuses = said | {400, 500, 503} | (set() if is_open else {401}) | ({413} if has_body else set())
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(statuses)}


def _reasons(known: dict[str, str], status: int) -> Iterator[str]:
    names = [
        f"`{name}`" for name, comment in known.items() if (said := SAID.search(comment)) and int(said[2]) == status
    ]
    if names:
        yield f"Reasons: {', '.join(names)}."


def _error(known: dict[str, str]) -> dict[str, Any]:
    lines = [f"- `{name}`: {comment.split(chr(10) * 2)[0].replace(chr(10), ' ')}" for name, comment in known.items()]
    sentence = {"type": "string", "description": "A sentence for a person."}
    reason = {"type": "string", "enum": list(known), "description": "\n".join(["Why, for a program.", "", *lines])}
    info = {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]}
    error = {"type": "object", "properties": {"code": reason, "message": sentence}, "required": ["code", "message"]}
    return {
        "type": "object",
        "description": "Every error, from a service or from the gateway: google.rpc.Status as JSON, and `error`.",
        "properties": {
            "code": {"type": "integer", "description": "The gRPC status code."},
            "message": sentence,
            "details": {
                "type": "array",
                "items": info,
                "description": "First google.rpc.ErrorInfo; then BadRequest or RetryInfo where there is one.",
            },
            "error": error,
        },
        "required": ["code", "message", "details", "error"],
    }
