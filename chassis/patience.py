"""Waiting for what is down, and saying so once in a while."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

from chassis.errors import Unavailable

T = TypeVar("T")

TRY_EVERY = 1.0
"""Seconds between two tries; less, by chance, so that not all who wait come at once."""
REMIND_EVERY = 30.0
"""Seconds between two lines in the log about one trouble."""
NOTHING: Mapping[str, str] = MappingProxyType({})


class Trouble:
    """What does not work at the moment: told when it begins, now and then while it lasts, and when it is over."""

    def __init__(
        self, log: logging.Logger, what: str, about: Mapping[str, str] = NOTHING, *, every: float = REMIND_EVERY
    ) -> None:
        """`about` goes with every line, for a log's reader to find what belongs together."""
        self._log = log
        self._what = what
        self._every = every
        self._about = about
        self._told_at = -math.inf

    def tell(self, error: Exception) -> None:
        """Says what is wrong, unless it has just been said."""
        if time.monotonic() - self._told_at >= self._every:
            self._told_at = time.monotonic()
            self._log.warning(self._what, extra={"why": describe(error), **self._about})

    def over(self) -> None:
        """Says so, if anything was said before."""
        if self._told_at != -math.inf:
            self._told_at = -math.inf
            self._log.info("no longer: %s", self._what, extra=self._about)


async def patiently(action: Callable[[], Awaitable[T]], trouble: Trouble, *, within: float = math.inf) -> T:
    """Repeats an action until it is not Unavailable; raises that when it still is after so many seconds."""
    give_up_at = time.monotonic() + within
    while True:
        try:
            result = await action()
        except Unavailable as error:
            if time.monotonic() >= give_up_at:
                raise
            trouble.tell(error)
        else:
            trouble.over()
            return result
        await asyncio.sleep(TRY_EVERY * random.uniform(0.5, 1.0))


def describe(error: BaseException) -> str:
    """For the log: what was said to us, rather than what we made of it."""
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}"
