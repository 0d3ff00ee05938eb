"""Places for pictures on their way in: so many in all, and one a user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Places:
    """Lets in a few at once. Whoever brings many, slowly, waits for themselves and takes no place from others."""

    def __init__(self, count: int) -> None:
        self._free = asyncio.Semaphore(count)
        self._users: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, int] = {}

    @asynccontextmanager
    async def taken_by(self, user_id: str) -> AsyncIterator[None]:
        """Waits for a place, and has it as long as the block."""
        lock = self._users.setdefault(user_id, asyncio.Lock())
        self._waiting[user_id] = self._waiting.get(user_id, 0) + 1
        try:
            async with lock, self._free:
                yield
        finally:
            self._waiting[user_id] -= 1
            if not self._waiting[user_id]:
                del self._waiting[user_id], self._users[user_id]
