"""A bounded memory of what was true a moment ago."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

V = TypeVar("V")


class Remembered(Generic[V]):
    """Values by key, each until its time; when there are too many, the one longest unused goes first."""

    def __init__(self, size: int, *, clock: Callable[[], float] = time.time) -> None:
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[str, tuple[V, float]] = OrderedDict()

    def get(self, key: str) -> V | None:
        """The value, if its time is not over."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, until = entry
        if self._clock() >= until:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return value

    def add(self, key: str, value: V, *, until: float, at_most: float) -> None:
        """Remembers a value until a time, and no longer than so many seconds."""
        self._entries[key] = (value, min(until, self._clock() + at_most))
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)
