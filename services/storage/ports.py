"""What storage needs from the outside, in its own words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from chassis.renders import RenderMissing
from services.storage.domain import Asset, Blob, Filter, Item, Link, Picture

__all__ = ["AssetStore", "Blobs", "Clock", "Pictures", "RenderMissing", "Renders"]

Clock = Callable[[], datetime]


class AssetStore(Protocol):
    """Keeps the rows of assets.

    Each method must happen as a whole or not at all, be durable when it returns, and raise Unavailable when it
    cannot tell. What changes a row names the state it expects: of two racing calls one wins, and the other sees so.
    """

    async def begin(self, item: Item, picture: Picture, key: str, now: datetime) -> Asset:
        """Makes the row in state writing, private; or answers with the one that this item has already."""
        ...

    async def begin_again(self, asset: Asset, picture: Picture, key: str) -> Asset:
        """Gives a row that is still writing under the asset's key another key and picture, and notes the old key.

        Must change nothing while an older one is noted. Answers with the row as it is then.
        """
        ...

    async def forget_old_key(self, asset: Asset) -> Asset:
        """Notes that nothing is left under the asset's old key; answers with the row as it is then."""
        ...

    async def mark_stored(self, asset: Asset, now: datetime) -> Asset | None:
        """From writing under the asset's key to stored; None when the row has moved on."""
        ...

    async def abandon(self, job_id: str, item: int) -> Asset | None:
        """From writing to abandoning; in any other state nothing happens. Answers with the row, if there is one."""
        ...

    async def begin_removal(self, asset_id: str) -> Asset | None:
        """From stored to deleting, private at once; None when it is not stored."""
        ...

    async def finish_removal(self, asset: Asset) -> None:
        """From deleting to deleted, forgetting whose it was; from abandoning to abandoned."""
        ...

    async def begin_move(self, asset: Asset, next_key: str) -> bool:
        """Notes where the bytes of a stored asset go, and makes it private meanwhile.

        Must do so only from the asset's key and while none is on its way: this is the lock.
        """
        ...

    async def finish_move(self, asset: Asset) -> None:
        """Makes the asset's next key its key, and public when that is a public one, unless it has moved on."""
        ...

    async def get(self, asset_id: str) -> Asset | None:
        """Whatever its state."""
        ...

    async def of_item(self, job_id: str, item: int) -> Asset | None:
        """Whatever its state."""
        ...

    async def of_key(self, key: str) -> Asset | None:
        """The stored asset whose bytes are under this key."""
        ...

    async def matching(self, wanted: Filter) -> tuple[Sequence[Asset], int]:
        """One page of stored assets, newest first, and how many there are on all pages."""
        ...

    async def unfinished(self, abandoned_before: datetime) -> Sequence[Asset]:
        """Rows that await something: moving, deleting, abandoning, and writing since before that moment."""
        ...

    async def claiming(self, keys: Sequence[str]) -> Sequence[Asset]:
        """Every row, but for deleted and abandoned ones, whose bytes may be under one of these keys."""
        ...

    async def stored_between(self, after: str, upto: str, limit: int) -> Sequence[Asset]:
        """The first stored assets by key, behind one key and up to another."""
        ...


class Blobs(Protocol):
    """Bytes under keys of our own making (`domain.new_key`, `new_upload_key`), which say on which side the bytes are: a
    key that begins with `public/` may be read by everybody who knows it, one that begins with `private/` or `uploads/`
    through a signed link only. Nothing is moved from or to the uploads.

    A key is written to in one attempt and never used again after it was moved from or deleted. Every method raises
    PlaceUnusable when the place cannot be reached, read or written to, and PlaceUnfit when it will stay so until
    somebody mends it; its cause says what is wrong in words for an operator, and holds no secret.
    """

    async def write(self, key: str, data: bytes, content_type: str) -> None:
        """Must have the bytes on disk when it returns, in place of what was there; nobody may ever see half of them."""
        ...

    def read(self, key: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes in chunks of 64 to 256 KiB. Must raise BlobMissing on entering when there are none."""
        ...

    async def move(self, key: str, next_key: str) -> None:
        """Must leave the bytes under the next key alone, on the side it names.

        Must succeed when they are there already, and raise BlobMissing when they are under neither.
        """
        ...

    async def delete(self, key: str) -> None:
        """Must have made sure that nothing is there when it returns; succeeds when nothing was."""
        ...

    async def links(self, keys: Sequence[str], expires_in: int, at_least: int) -> Sequence[Link]:
        """Where each can be read: a public key for good, a private one for so many seconds. One call for a page.

        A link given out before may be given again while it works for `at_least` seconds more. Must not fail for a key
        that has no bytes: its link opens nothing.
        """
        ...

    def blobs(self, side: str) -> AsyncIterator[Sequence[Blob]]:
        """All there is on one side, ours or not, in pages and in the order of keys; pages are never empty."""
        ...

    async def find(self, key: str) -> Blob | None:
        """What is under a key; None: nothing, for certain."""
        ...

    async def ping(self) -> None:
        """Must raise PlaceUnusable unless bytes could be written now, where they are safe; cheap."""
        ...


class Pictures(Protocol):
    """Looks at bytes that somebody says are a picture."""

    async def measure(self, data: bytes, sha256: str | None = None) -> Picture:
        """Must decode all of it, within bounds of memory, and off the event loop.

        Unless a SHA-256 is given: whoever knows it has decoded these bytes, and to be these is enough. Must raise
        BytesDamaged when they have another one, NotAPicture for everything but a whole PNG, JPEG or WebP.
        """
        ...


class Renders(Protocol):
    """Where pictures wait that are not stored yet."""

    async def get(self, key: str) -> bytes:
        """Must raise RenderMissing when there is nothing, Unavailable when it cannot tell."""
        ...
