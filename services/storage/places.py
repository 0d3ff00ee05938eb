"""Places for pictures on their way in: so many in all, and one a user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.errors import Unavailable
from services.storage.upload_domain import MAX_UPLOADS, TooManyAtOnce

MOST_WAITING = 512
"""Pictures in all that have a place or wait for one: of each that waits the gateway holds 2 MiB."""


class Places:
    """Lets in a few at once. Whoever brings many, slowly, waits for themselves and takes no place from others."""

    def __init__(self, count: int, most_waiting: int = MOST_WAITING) -> None:
        self._free = asyncio.Semaphore(count)
        self._most_waiting = most_waiting
        self._users: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, int] = {}

    @asynccontextmanager
    async def taken_by(self, user_id: str) -> AsyncIterator[None]:
        """Waits for a place, and has it as long as the block.

        Raises:
            TooManyAtOnce: the user has as many here as a user may keep.
            Unavailable: there are too many of everybody's.
        """
        self._require_room(user_id)
        lock = self._users.setdefault(user_id, asyncio.Lock())
        self._waiting[user_id] = self._waiting.get(user_id, 0) + 1
        try:
            async with lock, self._free:
                yield
        finally:
            self._waiting[user_id] -= 1
            if not self._waiting[user_id]:
                del self._waiting[user_id], self._users[user_id]

    def _require_room(self, user_id: str) -> None:
        if self._waiting.get(user_id, 0) >= MAX_UPLOADS:
            raise TooManyAtOnce
        if sum(self._waiting.values()) >= self._most_waiting:
            raise Unavailable("too many pictures are on their way; try again in a moment")
