"""What an answer of the Nano Banana API means, and what it may have cost.

Nothing in an answer is taken for granted: it may be cut off, of another type, or another server's error page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from services.generation.providers.ladder import Again, Billed, Miss

_UNPAID = (500, 502, 503)
_REFUSED = (400, 422)
_KEY_REFUSED = (401, 403)
_POLICY = "content_policy_violation"

Fields = dict[str, Any]
"""Of an answer that has a picture: `image_url` is a string, the rest is whatever came."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came."""

    status: int
    body: bytes
    hint: float = 0.0
    """Seconds that its `Retry-After` asks for."""


def read_generated(reply: Reply) -> Fields | Miss:
    """Reads the answer of a call that is paid for, unless it was only accepted."""
    if reply.status // 100 != 2:
        return read_error(reply)
    # It was served, so whatever the body holds has been paid for.
    fields = _object(reply.body)
    if not isinstance(fields.get("image_url"), str):
        return Miss("PROVIDER_ERROR", "an answer without a picture", Billed.YES)
    return fields


def read_error(reply: Reply) -> Miss:
    """Reads any answer that is not a success."""
    status, why = reply.status, f"HTTP {reply.status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Miss("PROVIDER_RATE_LIMIT", why, Billed.NO, Again.LATER, reply.hint)
    if status in _UNPAID:
        return Miss("PROVIDER_ERROR", why, Billed.NO, Again.LATER, reply.hint)
    if status >= 500:
        # A gateway gave up waiting, 504 or one of its private numbers; behind it the work may go on.
        return Miss("OUTCOME_UNKNOWN", why, Billed.MAYBE, Again.LATER)
    if status in _KEY_REFUSED:
        return Miss("PROVIDER_AUTH", why, Billed.NO)
    if status in _REFUSED and _is_refusal(_object(reply.body)):
        return Miss("CONTENT_POLICY", why, Billed.NO)
    return Miss("PROVIDER_ERROR", why, Billed.NO, retryable=False)


def read_accepted(reply: Reply) -> str | None:
    """The id to ask about, if the call was accepted and is not done."""
    if reply.status != HTTPStatus.ACCEPTED:
        return None
    generation_id = _object(reply.body).get("generation_id")
    return generation_id if isinstance(generation_id, str) and generation_id else None


def read_progress(reply: Reply) -> Fields | Miss | None:
    """Reads how an accepted generation stands; None when asking again may tell more.

    A miss may have been billed: what was accepted can cost money however it ends.
    """
    if reply.status != HTTPStatus.OK:
        miss = read_error(reply)
        return None if miss.again is Again.LATER else Miss(miss.reason, miss.why, Billed.MAYBE)
    fields = _object(reply.body)
    match fields.get("status"):
        case "completed":
            return read_generated(reply)
        case "failed":
            reason = "CONTENT_POLICY" if _is_refusal(fields) else "PROVIDER_ERROR"
            return Miss(reason, "the generation failed", Billed.MAYBE)
        case str():
            return None
        case _:
            return Miss("PROVIDER_ERROR", "a status that is none", Billed.MAYBE)


def _is_refusal(fields: Fields) -> bool:
    error = fields.get("error")
    return isinstance(error, dict) and error.get("code") == _POLICY


def _object(body: bytes) -> Fields:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
