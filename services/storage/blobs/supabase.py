"""Blobs in Supabase Storage: a bucket for each side, handed out by Supabase itself.

A key's side is its bucket, so whether bytes are public is where they are, and to change sides is to move (ADR 13).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from typing import Any

from chassis.remembered import Remembered
from services.storage.blobs.keys import checked
from services.storage.blobs.supabase_answers import Refused, SupabaseTrouble, explained, not_supabase
from services.storage.blobs.supabase_buckets import BUCKETS, Bucket, Buckets
from services.storage.blobs.supabase_http import SupabaseHttp
from services.storage.domain import (
    Blob,
    BlobMissing,
    Link,
    PlaceUnfit,
    PlaceUnusable,
    is_public_key,
)
from services.storage.ports import Clock

PUBLIC_AGE = 60
"""Seconds a cache may show a public picture that is private by now."""
PAGE = 1000
LINKS_REMEMBERED = 4096

log = logging.getLogger(__name__)


class SupabaseBlobs:
    """For systems on any number of machines."""

    def __init__(self, http: SupabaseHttp, clock: Clock) -> None:
        self._http = http
        self._buckets = Buckets(http)
        self._clock = clock
        self._links = Remembered[Link](LINKS_REMEMBERED, clock=lambda: clock().timestamp())

    async def write(self, key: str, data: bytes, content_type: str) -> None:
        bucket, name = _place(key)
        await self._buckets.check()
        headers = {
            "Content-Type": content_type,
            "Cache-Control": f"max-age={PUBLIC_AGE}",
            # The same bytes once more, when an earlier try got through after all.
            "x-upsert": "true",
        }
        path, patience = f"/object/{bucket.id}/{name}", self._http.patience.upload
        with _translated(bucket):
            answer = await self._http.call("POST", path, content=data, headers=headers, patience=patience)
        # Anybody may answer 200; this is said by who has kept it.
        if not isinstance(answer, dict) or answer.get("Key") != f"{bucket.id}/{name}":
            raise PlaceUnfit from not_supabase()

    @asynccontextmanager
    async def read(self, key: str) -> AsyncIterator[AsyncIterator[bytes]]:
        bucket, name = _place(key)
        async with AsyncExitStack() as stack:
            with _translated(bucket):
                try:
                    path = f"/object/authenticated/{bucket.id}/{name}"
                    chunks = await stack.enter_async_context(self._http.download(path))
                except Refused as refused:
                    if refused.is_missing:
                        raise BlobMissing(key) from None
                    raise
            yield chunks

    async def move(self, key: str, next_key: str) -> None:
        (bucket, name), (next_bucket, next_name) = _place(key), _place(next_key)
        await self._buckets.check()
        wanted = {
            "bucketId": bucket.id,
            "sourceKey": name,
            "destinationBucket": next_bucket.id,
            "destinationKey": next_name,
        }
        with _translated(next_bucket):
            try:
                await self._http.call("POST", "/object/move", json=wanted)
            except Refused as refused:
                if not (refused.is_missing or refused.is_there_already):
                    raise
                await self._require_moved(key, next_key)

    async def delete(self, key: str) -> None:
        bucket, name = _place(key)
        with _translated(bucket):
            try:
                await self._http.call("DELETE", f"/object/{bucket.id}/{name}")
            except Refused as refused:
                if not refused.is_missing:
                    raise
        # To a deletion a missing bucket is a missing object; asked this way, the two differ.
        if await self.find(key) is not None:
            raise PlaceUnusable from SupabaseTrouble("Supabase Storage has deleted a picture, and then still has it")

    async def links(self, keys: Sequence[str], expires_in: int, at_least: int) -> Sequence[Link]:
        now = self._clock().replace(microsecond=0)
        until = now + timedelta(seconds=at_least)
        links = {key: link for key in keys if (link := self._known_link(key, expires_in, until)) is not None}
        unsigned = [key for key in keys if key not in links]
        for bucket in {_place(key)[0]: None for key in unsigned}:
            links |= await self._sign(bucket, [key for key in unsigned if _place(key)[0] is bucket], expires_in, now)
        return [links[key] for key in keys]

    async def blobs(self, side: str) -> AsyncIterator[Sequence[Blob]]:
        bucket, wanted = BUCKETS[side], {"limit": PAGE}
        # Of a bucket that is not there, the list is an empty one.
        await self._buckets.check()
        while True:
            with _translated(bucket):
                answer = await self._http.call("POST", f"/object/list-v2/{bucket.id}", json=wanted)
            with _as_expected():
                page = [self._listed(side, each) for each in answer["objects"]]
                wanted = {"limit": PAGE, "cursor": answer["nextCursor"]} if answer["hasNext"] else {}
            if page:
                yield page
            if not wanted:
                return

    async def find(self, key: str) -> Blob | None:
        bucket, name = _place(key)
        with _translated(bucket):
            try:
                # Not the shorter route without `authenticated`: to a bad key it says that there is nothing.
                found = await self._http.call("GET", f"/object/info/authenticated/{bucket.id}/{name}")
            except Refused as refused:
                if refused.is_missing:
                    return None
                raise
        with _as_expected():
            return Blob(key, int(found["size"]), datetime.fromisoformat(found["last_modified"]))

    async def ping(self) -> None:
        await self._buckets.check()

    async def _require_moved(self, key: str, next_key: str) -> None:
        """Nobody puts anything under the next key but who moves from this one, so what is there is what was here."""
        if await self.find(next_key) is not None:
            await self.delete(key)
        elif await self.find(key) is None:
            raise BlobMissing(key)
        else:
            raise PlaceUnusable from SupabaseTrouble("Supabase Storage has a picture, and then does not find it")

    def _known_link(self, key: str, expires_in: int, until: datetime) -> Link | None:
        bucket, name = _place(key)
        if is_public_key(key):
            return Link(f"{self._http.base}/object/public/{bucket.id}/{name}", expires_at=None)
        link = self._links.get(f"{expires_in} {key}")
        return link if link is not None and link.expires_at is not None and link.expires_at >= until else None

    async def _sign(self, bucket: Bucket, keys: Sequence[str], expires_in: int, now: datetime) -> Mapping[str, Link]:
        """Links to private keys of one bucket; one that opens nothing for a key without bytes."""
        expires_at, links = now + timedelta(seconds=expires_in), dict[str, Link]()
        names = {_place(key)[1]: key for key in keys}
        with _translated(bucket):
            answer = await self._http.call(
                "POST", f"/object/sign/{bucket.id}", json={"expiresIn": expires_in, "paths": list(names)}
            )
        with _as_expected():
            signed: dict[str, str | None] = {each["path"]: each["signedURL"] for each in answer}
            for name, key in names.items():
                path = signed[name]
                if path is None:
                    log.error("a row says that bytes are where none are; `studio storage check` says which")
                    links[key] = Link(f"{self._http.base}/object/sign/{bucket.id}/{name}", now)
                    continue
                links[key] = Link(self._http.base + path, expires_at)
                self._links.add(f"{expires_in} {key}", links[key], until=expires_at.timestamp(), at_most=expires_in)
        return links

    def _listed(self, side: str, found: Mapping[str, Any]) -> Blob:
        # Of what has no time, nobody knows that it is old.
        times = [datetime.fromisoformat(time) for name in ("created_at", "updated_at") if (time := found.get(name))]
        size = (found.get("metadata") or {}).get("size", 0)
        return Blob(f"{side}/{found['name']}", int(size), max(times, default=self._clock()))


def _place(key: str) -> tuple[Bucket, str]:
    side, _, name = checked(key).partition("/")
    return BUCKETS[side], name


@contextmanager
def _translated(bucket: Bucket) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise PlaceUnfit from explained(refused, bucket.id)


@contextmanager
def _as_expected() -> Iterator[None]:
    """For an answer that is read: one in another shape is somebody else's."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        log.debug("an answer of another shape", exc_info=error)
        raise PlaceUnfit from not_supabase()
