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
from typing import Protocol

from services.storage.domain import (
    SIDES,
    UPLOADS,
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
from services.storage.upload_domain import Upload
from services.storage.upload_ports import UploadStore

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
Row = Asset | Upload

log = logging.getLogger(__name__)


class Rows(Protocol):
    """What the two stores have in common."""

    async def get(self, id: str, /) -> Row | None: ...

    async def claiming(self, keys: Sequence[str]) -> Sequence[Row]: ...

    async def stored_between(self, after: str, upto: str, limit: int) -> Sequence[Row]: ...


class Checking:
    """Finds where rows and bytes disagree."""

    def __init__(self, store: AssetStore, uploads: UploadStore, blobs: Blobs, clock: Clock) -> None:
        self._store = store
        self._uploads = uploads
        self._blobs = blobs
        self._clock = clock

    async def check(self, *, repair: bool, reads: bool) -> AsyncIterator[Problem | Progress]:
        """Every problem, and now and then how much has been looked at; the last word is the sum.

        Args:
            repair: delete bytes that are nobody's, once they are old enough; nothing else is touched.
            reads: read all bytes for their hash; else sizes have to do.
        """
        seen = _Seen()
        for side in SIDES:
            after = f"{side}/"
            async for page in self._blobs.blobs(side):
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
        claimed: dict[str | None, Row] = {}
        for row in await self._rows(page[0].key).claiming([blob.key for blob in page]):
            claimed |= dict.fromkeys((row.key, row.next_key, row.old_key), row)
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
        while after < upto and (rows := await self._rows(after).stored_between(after, upto, ROWS)):
            looks = [partial(self._lost, row) for row in rows if row.key not in there]
            for problem in await _some_at_once(looks):
                yield problem
            seen.add(rows)
            after = rows[-1].key

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

    def _rows(self, key: str) -> Rows:
        return self._uploads if key.startswith(f"{UPLOADS}/") else self._store

    async def _damage(self, row: Row, blob: Blob, *, reads: bool) -> Problem | None:
        if not _rests_at(row, blob.key):
            return None  # on its way in, across or out
        try:
            kind = await self._what_is_wrong(row, blob, reads=reads)
        except BlobMissing:
            return await self._lost(row)
        now = None if kind is None else await self._rows(row.key).get(row.id)
        if kind is None or now is None or not _rests_at(now, blob.key):
            return None
        return _problem(kind, row, blob.size)

    async def _what_is_wrong(self, row: Row, blob: Blob, *, reads: bool) -> ProblemKind | None:
        if blob.size != row.picture.file_size:
            return ProblemKind.WRONG_SIZE
        if reads and await self._hash(blob.key) != row.picture.sha256:
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

    async def _lost(self, row: Row) -> Problem | None:
        """A problem if the bytes are nowhere they could be, and the row has not moved on."""
        for key in (row.key, row.next_key):
            if key is not None and await self._blobs.find(key) is not None:
                return None
        now = await self._rows(row.key).get(row.id)
        if now is None or now.state is not State.STORED or (now.key, now.next_key) != (row.key, row.next_key):
            return None
        return _problem(ProblemKind.LOST, row, None)


@dataclass(slots=True)
class _Seen:
    blobs: int = 0
    assets: int = 0
    uploads: int = 0

    def add(self, rows: Sequence[Row]) -> None:
        uploads = sum(isinstance(row, Upload) for row in rows)
        self.uploads += uploads
        self.assets += len(rows) - uploads

    def progress(self) -> Progress:
        return Progress(self.blobs, self.assets, self.uploads)


def _problem(kind: ProblemKind, row: Row, size: int | None) -> Problem:
    if isinstance(row, Upload):
        return Problem(kind, row.key, None, size, upload_id=row.id)
    return Problem(kind, row.key, row.id, size)


async def _some_at_once(looks: Sequence[Look]) -> Sequence[Problem]:
    places = asyncio.Semaphore(LOOKS_AT_ONCE)

    async def take_place(look: Look) -> Problem | None:
        async with places:
            return await look()

    found = await asyncio.gather(*map(take_place, looks))
    return [problem for problem in found if problem is not None]


def _rests_at(row: Row, key: str) -> bool:
    return row.state is State.STORED and row.next_key is None and row.key == key
