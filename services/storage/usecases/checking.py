"""Rows and bytes are held against each other, while everybody goes on working.

A key is committed before any byte is under it, and never used again once no row claims it. So bytes whose key no row
claims are nobody's for ever, and what else looks wrong is looked at again, for it may have moved meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from services.storage.domain import (
    PRIVATE,
    PUBLIC,
    Asset,
    Blob,
    BlobMissing,
    PlaceUnusable,
    Problem,
    ProblemKind,
    Progress,
    State,
    is_key,
)
from services.storage.ports import AssetStore, Blobs, Clock

NOBODYS_AFTER = timedelta(days=1)
"""How old bytes without a row have to be before they are deleted: an upload that was overtaken clears up by itself."""
LOOKS_AT_ONCE = 4
READ_AGAIN = 3
"""Tries to read bytes to their end: over thousands, some break off."""
AT_A_TIME = 50
"""Blobs between two words about how far it has got: a gateway cuts what is silent for a minute."""
ROWS = 200
BEHIND_ALL = "g"
"""Behind every key's digits."""

Look = Callable[[], Awaitable[Problem | None]]

log = logging.getLogger(__name__)


class Checking:
    """Finds where rows and bytes disagree."""

    def __init__(self, store: AssetStore, blobs: Blobs, clock: Clock) -> None:
        self._store = store
        self._blobs = blobs
        self._clock = clock

    async def check(self, *, repair: bool, reads: bool) -> AsyncIterator[Problem | Progress]:
        """Every problem, and now and then how much has been looked at; the last word is the sum.

        Args:
            repair: delete bytes that are nobody's, once they are old enough; nothing else is touched.
            reads: read all bytes for their hash; else sizes have to do.
        """
        seen = _Seen()
        for side in (PRIVATE, PUBLIC):
            after = f"{side}/"
            async for page in self._blobs.blobs(are_public=side == PUBLIC):
                for some in (page[start : start + AT_A_TIME] for start in range(0, len(page), AT_A_TIME)):
                    ours = [blob.key for blob in some if is_key(blob.key)]
                    upto = ours[-1] if ours else after
                    async for problem in self._check_bytes(some, repair=repair, reads=reads):
                        yield problem
                    async for problem in self._check_rows(after, upto, frozenset(ours), seen):
                        yield problem
                    after = upto
                    seen.blobs += len(some)
                    yield seen.progress()
            async for problem in self._check_rows(after, f"{side}/{BEHIND_ALL}", frozenset(), seen):
                yield problem
        yield seen.progress()

    async def _check_bytes(self, page: Sequence[Blob], *, repair: bool, reads: bool) -> AsyncIterator[Problem]:
        claimed: dict[str | None, Asset] = {}
        for asset in await self._store.claiming([blob.key for blob in page]):
            claimed |= dict.fromkeys((asset.key, asset.next_key, asset.old_key), asset)
        looks = [
            partial(self._damage, claimed[blob.key], blob, reads=reads)
            if blob.key in claimed
            else partial(self._orphan, blob, repair=repair)
            for blob in page
        ]
        for problem in await _some_at_once(looks):
            yield problem

    async def _check_rows(self, after: str, upto: str, there: frozenset[str], seen: _Seen) -> AsyncIterator[Problem]:
        """What is lost of the assets behind one key and up to another, of whose keys these are there."""
        while after < upto and (assets := await self._store.stored_between(after, upto, ROWS)):
            looks = [partial(self._lost, asset) for asset in assets if asset.key not in there]
            for problem in await _some_at_once(looks):
                yield problem
            seen.assets += len(assets)
            after = assets[-1].key

    async def _orphan(self, blob: Blob, *, repair: bool) -> Problem | None:
        if is_key(blob.key) and await self._blobs.find(blob.key) is None:
            return None  # it has moved on, or was deleted, since it was listed
        # What has a name that we never give was put there by somebody, and is theirs to delete.
        is_old = self._clock() - blob.written_at >= NOBODYS_AFTER
        deletes = repair and is_key(blob.key) and is_old
        if deletes:
            await self._blobs.delete(blob.key)
            log.info("deleted bytes that were nobody's", extra={"size": blob.size})
        return Problem(ProblemKind.ORPHAN, blob.key, None, blob.size, is_repaired=deletes)

    async def _damage(self, asset: Asset, blob: Blob, *, reads: bool) -> Problem | None:
        if not _rests_at(asset, blob.key):
            return None  # on its way in, across or out
        try:
            kind = await self._what_is_wrong(asset, blob, reads=reads)
        except BlobMissing:
            return await self._lost(asset)
        now = None if kind is None else await self._store.get(asset.id)
        if kind is None or now is None or not _rests_at(now, blob.key):
            return None
        return Problem(kind, blob.key, asset.id, blob.size)

    async def _what_is_wrong(self, asset: Asset, blob: Blob, *, reads: bool) -> ProblemKind | None:
        if blob.size != asset.picture.file_size:
            return ProblemKind.WRONG_SIZE
        if reads and await self._hash(blob.key) != asset.picture.sha256:
            return ProblemKind.WRONG_HASH
        return None

    async def _hash(self, key: str) -> str:
        for left in reversed(range(READ_AGAIN)):
            digest = hashlib.sha256()
            try:
                async with self._blobs.read(key) as chunks:
                    async for chunk in chunks:
                        digest.update(chunk)
                break
            except PlaceUnusable:
                if not left:
                    raise
        return digest.hexdigest()

    async def _lost(self, asset: Asset) -> Problem | None:
        """A problem if the bytes are nowhere they could be, and the row has not moved on."""
        for key in (asset.key, asset.next_key):
            if key is not None and await self._blobs.find(key) is not None:
                return None
        now = await self._store.get(asset.id)
        if now is None or now.state is not State.STORED or (now.key, now.next_key) != (asset.key, asset.next_key):
            return None
        return Problem(ProblemKind.LOST, asset.key, asset.id, None)


@dataclass(slots=True)
class _Seen:
    blobs: int = 0
    assets: int = 0

    def progress(self) -> Progress:
        return Progress(self.blobs, self.assets)


async def _some_at_once(looks: Sequence[Look]) -> Sequence[Problem]:
    places = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def take_place(look: Look) -> Problem | None:
        async with places:
            return await look()

    found = await asyncio.gather(*map(take_place, looks))
    return [problem for problem in found if problem is not None]


def _rests_at(asset: Asset, key: str) -> bool:
    return asset.state is State.STORED and asset.next_key is None and asset.key == key
