"""What an error of the Gemini API means: whom it asks to wait, and for how long, and what has to be mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.generation.providers.gemini_json import mapping, mappings, parse, text
from services.generation.providers.ladder import LONGEST_HINT, Again, Billed, Miss

_UNPAID = (500, 502, 503)
_NO_ACCESS = re.compile(r"\blimit:\s*0(?![\d.])")
_PER_DAY = re.compile(r"per_?day", re.IGNORECASE)
_RETRY_IN = re.compile(r"retry in\s+((?:[0-9.]{1,24}(?:ms|[hms]))+)", re.IGNORECASE)
_SPAN = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,12})?)(ms|[hms])")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

MEND_KEY = "the Gemini API does not accept GEMINI_API_KEY"
MEND_ACCOUNT = "the Gemini API does not serve the project of GEMINI_API_KEY: its country or its billing is in the way"
MEND_MODEL = "the Gemini API has no model by the name in GEMINI_MODEL"
MEND_TIER = "the project of GEMINI_API_KEY has no access to the model in GEMINI_MODEL: its limit is 0"


@dataclass(frozen=True, slots=True)
class _Error:
    """The part of an error body that decides anything."""

    status: str
    message: str
    details: list[dict[str, Any]]

    def texts(self, name: str) -> Iterator[str]:
        """Every string by that name in the details, and in the violations that some of them list."""
        violations = [entry for detail in self.details for entry in mappings(detail.get("violations"))]
        return (value for entry in (*self.details, *violations) if isinstance(value := entry.get(name), str))

    @property
    def delay(self) -> float:
        """Seconds we are asked to wait, 0 when we are not."""
        spoken = _RETRY_IN.search(self.message)
        spans = [*self.texts("retryDelay"), *([spoken[1]] if spoken else [])]
        return max((_seconds(span) for span in spans), default=0.0)


def read_error(http_status: int, body: bytes, header_hint: float = 0.0) -> Miss:
    """Reads any answer that is not a success; `header_hint` is what its `Retry-After` asks for, in seconds."""
    error = _parse(body)
    hint = max(header_hint, error.delay)
    why = f"HTTP {http_status}"
    if http_status == 429:
        return _limited(error, hint)
    if http_status in _UNPAID:
        return Miss("PROVIDER_ERROR", why, Billed.NO, Again.LATER, hint)
    if http_status >= 500:
        return Miss("OUTCOME_UNKNOWN", why, Billed.MAYBE, Again.LATER, hint)
    # Google says 400, not 401, to a key it does not know.
    if http_status in (401, 403) or "API_KEY_INVALID" in error.texts("reason"):
        return Miss("PROVIDER_AUTH", why, Billed.NO, mend=MEND_KEY)
    if error.status == "FAILED_PRECONDITION":
        return Miss("PROVIDER_AUTH", why, Billed.NO, mend=MEND_ACCOUNT)
    mend = MEND_MODEL if http_status == 404 else ""
    return Miss("PROVIDER_ERROR", why, Billed.NO, retryable=False, mend=mend)


def _limited(error: _Error, hint: float) -> Miss:
    if _NO_ACCESS.search(error.message):
        return Miss("PROVIDER_QUOTA", "a limit of 0", Billed.NO, retryable=False, mend=MEND_TIER)
    if any(_PER_DAY.search(quota) for name in ("quotaId", "quotaMetric") for quota in error.texts(name)):
        return Miss("PROVIDER_QUOTA", "the day's quota is used up", Billed.NO)
    return Miss("PROVIDER_RATE_LIMIT", "HTTP 429", Billed.NO, Again.LATER, hint)


def _parse(body: bytes) -> _Error:
    try:
        answer = parse(body)
    except ValueError:
        answer = None
    # What was meant to be a stream comes as a list of one.
    first = next(iter(mappings(answer)), mapping(answer))
    error = mapping(first.get("error"))
    return _Error(text(error.get("status")), text(error.get("message")), mappings(error.get("details")))


def _seconds(span: str) -> float:
    """Of a span like `37s`, `859.5ms` or `9h37m19.9s`."""
    return min(sum(float(number) * _UNITS[unit] for number, unit in _SPAN.findall(span)), LONGEST_HINT)
