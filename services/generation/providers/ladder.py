"""How calls that cost money are repeated: what is known to be unpaid, at most three times, each time later.

A request that was sent and got no answer may have been billed: it is repeated once at most.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto

import httpx

from services.generation.domain import RenderDeferred, RenderFailed
from services.generation.failures import failure
from services.generation.picture_ports import PaidCalls
from services.generation.providers.timing import REAL_TIME, Timing

RUNGS = (1.0, 2.0, 4.0)
"""Seconds before each retry: three of them, so one render makes at most four calls."""
LONGEST_HINT = 86_400.0
"""Seconds a provider may make us wait; a longer hint is cut to a day, and asked about again then."""
BUSY_FOR = 30.0
"""Seconds a model is left alone that was too busy on every rung and did not say for how long."""
BILLED_AT_MOST = 2
"""Calls of one render that may have been billed."""

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_SLOW = (httpx.ConnectTimeout, httpx.PoolTimeout)
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{0,12})?")


class Billed(Enum):
    """Whether a call has cost money."""

    NO = auto()
    MAYBE = auto()
    YES = auto()


class Again(Enum):
    """What a further call is good for."""

    NEVER = auto()
    LATER = auto()
    """The same request, after a wait."""
    WITH_ANOTHER_SEED = auto()
    """The request was heard; another throw of the dice may pass."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A call that brought no picture, and what that means."""

    reason: str
    """Of the failure, should it stay so."""
    why: str
    """For the log, in our words: what an image API writes may repeat the prompt, or the key."""
    billed: Billed
    again: Again = Again.NEVER
    hint: float = 0.0
    """Seconds the provider asked us to wait."""
    retryable: bool | None = None
    """Of the failure, where it differs from what is usual for the reason."""
    mend: str = ""
    """What an operator has to mend before any further call succeeds."""


class Ladder:
    """The way of one render from call to call."""

    def __init__(self, calls: PaidCalls, timing: Timing = REAL_TIME) -> None:
        self._calls = calls
        self._timing = timing
        self._billed = 0
        self._retries = 0

    async def climb(self, miss: Miss) -> None:
        """Returns when it is time for the next call.

        Raises:
            RenderFailed: there is none.
            RenderDeferred: there is none now; where that holds for everybody, the gate is closed meanwhile.
        """
        self._billed += miss.billed is not Billed.NO
        if miss.again is Again.NEVER or self._billed >= BILLED_AT_MOST:
            raise failed(miss)
        if asks_for_patience(miss, self._retries):
            await self._defer(miss.hint)
        if self._retries == len(RUNGS):
            if miss.reason == "PROVIDER_RATE_LIMIT" and miss.hint:
                raise RenderDeferred(tired(miss), "the image service is full")
            if miss.reason == "PROVIDER_RATE_LIMIT":
                await self._defer(tired(miss))
            raise failed(miss)
        rung = RUNGS[self._retries]
        self._retries += 1
        if miss.again is Again.LATER:
            await self._timing.pause(rung, miss.hint)

    async def _defer(self, seconds: float) -> None:
        await self._calls.close_gate(seconds)
        raise RenderDeferred(seconds, "the image service asks for patience")


def asks_for_patience(miss: Miss, retries: int, rungs: Sequence[float] = RUNGS) -> bool:
    """Whether a provider asks for a longer wait than the ladder's next: no worker waits that with its hands full.

    The item is put back then, and the gate closed, so that nobody else calls meanwhile either.
    """
    return miss.hint > (rungs[retries] if retries < len(rungs) else RUNGS[-1])


def tired(miss: Miss) -> float:
    """Seconds until an item that was too many on every rung is worth another ladder.

    An API that says how long to wait, and not longer than a rung, is full and not overrun: it has room for others at
    any moment, so only this item waits. One that does not say is left alone by everybody.
    """
    return max(miss.hint, RUNGS[-1]) if miss.hint else BUSY_FOR


def failed(miss: Miss) -> RenderFailed:
    """The failure that a miss is, when nothing follows."""
    return RenderFailed(failure(miss.reason, retryable=miss.retryable))


def no_answer(error: httpx.HTTPError | TimeoutError) -> Miss:
    """What it means that a call ended without an answer: unpaid only if it was surely never sent."""
    why = type(error).__name__
    if isinstance(error, _UNSENT):
        reason = "PROVIDER_TIMEOUT" if isinstance(error, _SLOW) else "PROVIDER_ERROR"
        return Miss(reason, why, Billed.NO, Again.LATER)
    return Miss("OUTCOME_UNKNOWN", why, Billed.MAYBE, Again.LATER)


def retry_after(header: str | None, now: datetime) -> float:
    """Seconds a `Retry-After` header asks for, as a number or as a date; 0 when it asks for nothing we understand."""
    text = (header or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), LONGEST_HINT)
    try:
        date = parsedate_to_datetime(text)
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds.total_seconds(), 0.0), LONGEST_HINT)
