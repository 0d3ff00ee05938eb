"""What uploads need from the outside, in storage's words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.storage.upload_domain import Converted, Upload


class UploadStore(Protocol):
    """Keeps the rows of uploads.

    Each method must happen as a whole or not at all, be durable when it returns, and raise Unavailable when it cannot
    tell. What changes a row names the state it expects: of two racing calls one wins, and the other sees so.
    """

    async def add(self, upload: Upload) -> None:
        """Must raise UploadLimitReached when its user has MAX_UPLOADS not being deleted, also when calls race."""
        ...

    async def require_room(self, user_id: str) -> None:
        """Must raise UploadLimitReached when `add` would do so now; in one read."""
        ...

    async def mark_stored(self, upload_id: str) -> bool:
        """From writing to stored; False when the row has moved on."""
        ...

    async def begin_removal(self, upload_id: str) -> bool:
        """From writing or stored to deleting; False when it is neither."""
        ...

    async def finish_removal(self, upload_id: str) -> None:
        """Forgets an upload that is being deleted, row and all."""
        ...

    async def get(self, upload_id: str) -> Upload | None:
        """Whatever its state."""
        ...

    async def of_key(self, key: str) -> Upload | None:
        """The stored upload whose bytes are under this key."""
        ...

    async def of_user(self, user_id: str | None, limit: int, offset: int) -> tuple[Sequence[Upload], int]:
        """One page of a user's stored uploads, or of everybody's, newest first, and how many there are on all pages."""
        ...

    async def unfinished(self, begun_before: datetime) -> Sequence[Upload]:
        """Rows that await something: deleting, and writing since before that moment."""
        ...

    async def claiming(self, keys: Sequence[str]) -> Sequence[Upload]:
        """Every row whose bytes may be under one of these keys."""
        ...

    async def stored_between(self, after: str, upto: str, limit: int) -> Sequence[Upload]:
        """The first stored uploads by key, behind one key and up to another."""
        ...


class Converter(Protocol):
    """Makes of bytes that somebody says are a picture one that is safe to keep and to pass on."""

    async def convert(self, data: bytes) -> Converted:
        """Must decode all of it, within bounds of memory and off the event loop; and encode its pixels anew, upright,
        with at most LONGEST_SIDE of them a side: PNG when something of it is transparent, else JPEG, without metadata
        and of at most MAX_UPLOAD_BYTES.

        Must raise NotAPicture for everything but a whole PNG, JPEG or WebP.
        """
        ...
