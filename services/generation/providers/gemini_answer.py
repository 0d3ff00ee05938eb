"""What a served answer of `generateContent` holds: a picture, or why there is none.

Nothing in it is taken for granted: any part may be missing, of another type, or a value that is new tomorrow.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

from services.generation.domain import Picture
from services.generation.providers.gemini_json import mapping, mappings, parse, text
from services.generation.providers.ladder import Again, Billed, Miss

_REFUSED = ("SAFETY", "IMAGE_PROHIBITED_CONTENT", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII")
_REFUSED_BY_CHANCE = ("IMAGE_SAFETY", "IMAGE_RECITATION")
_EMPTY_BY_CHANCE = ("IMAGE_OTHER", "NO_IMAGE", "OTHER")
_EMPTY = ("STOP", "MAX_TOKENS", "RECITATION", "LANGUAGE", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL",
          "TOO_MANY_TOOL_CALLS", "FINISH_REASON_UNSPECIFIED")  # fmt: skip

# finishReason: what it means. What was drawn and then refused may pass with another seed; what was asked for may not.
_FINISHED: dict[str, tuple[str, Again]] = {
    **dict.fromkeys(_REFUSED, ("CONTENT_POLICY", Again.NEVER)),
    **dict.fromkeys(_REFUSED_BY_CHANCE, ("CONTENT_POLICY", Again.WITH_ANOTHER_SEED)),
    **dict.fromkeys(_EMPTY_BY_CHANCE, ("NO_IMAGE", Again.WITH_ANOTHER_SEED)),
    **dict.fromkeys(_EMPTY, ("NO_IMAGE", Again.NEVER)),
}
_DATA_URL = re.compile(r"data:(image/[a-z0-9.+-]{1,32});base64,([A-Za-z0-9+/=]+)")
_UNSAID = "application/octet-stream"


def read_answer(body: bytes) -> Picture | Miss:
    """Reads the body of a 200; it was served, so whatever it holds has been paid for."""
    try:
        answer = parse(body)
    except ValueError:
        return _miss("PROVIDER_ERROR", "an answer that is not JSON")
    if not isinstance(answer, dict):
        return _miss("PROVIDER_ERROR", "an answer that is no object")
    candidates = mappings(answer.get("candidates"))
    refusal = _finish_of(candidates)
    if text(mapping(answer.get("promptFeedback")).get("blockReason")):
        refusal = _miss("CONTENT_POLICY", "the prompt was blocked")
    picture = next(_pictures(candidates), None)
    return refusal if picture is None or refusal.reason == "CONTENT_POLICY" else _decode(*picture)


def _finish_of(candidates: list[dict[str, Any]]) -> Miss:
    if not candidates:
        return _miss("NO_IMAGE", "no candidate")
    word = text(candidates[0].get("finishReason")) or "FINISH_REASON_UNSPECIFIED"
    if word not in _FINISHED:
        return _miss("NO_IMAGE", "a finish reason that is new to us")
    reason, again = _FINISHED[word]
    return _miss(reason, word, again)


def _pictures(candidates: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Type and base64 of every picture, in order; drafts of a model that thinks aloud are not meant for us."""
    for candidate in candidates:
        for part in mappings(mapping(candidate.get("content")).get("parts")):
            if part.get("thought"):
                continue
            inline = mapping(part.get("inlineData") or part.get("inline_data"))
            content_type = text(inline.get("mimeType") or inline.get("mime_type")) or _UNSAID
            data = text(inline.get("data"))
            if data and content_type.startswith(("image/", _UNSAID)):
                yield content_type, data
            # Some gateways to these models put the picture into the text.
            elif found := _DATA_URL.search(text(part.get("text"))):
                yield found[1], found[2]


def _decode(content_type: str, encoded: str) -> Picture | Miss:
    try:
        return Picture(base64.b64decode("".join(encoded.split()), validate=True), content_type)
    except ValueError:
        return _miss("INVALID_IMAGE", "a picture that is not base64")


def _miss(reason: str, why: str, again: Again = Again.NEVER) -> Miss:
    return Miss(reason, why, Billed.YES, again)
