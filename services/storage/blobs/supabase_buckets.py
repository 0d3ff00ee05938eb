"""The buckets: made at the start where they are missing, and looked after from then on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.storage.blobs.supabase_answers import Refused, SupabaseTrouble, explained, missing, not_supabase
from services.storage.blobs.supabase_http import SupabaseHttp
from services.storage.domain import MAX_BYTES, PRIVATE, PUBLIC, UPLOADS, PlaceUnfit, PlaceUnusable
from services.storage.upload_domain import MAX_UPLOAD_BYTES

CHECKED_FOR = 10.0
"""Seconds for which buckets that were in order count as in order."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket, as it has to be."""

    id: str
    public: bool
    """Whether everybody may read what is in it; of one that is there already, this alone is checked."""
    types: Sequence[str] = ("image/png", "image/jpeg", "image/webp")
    most: int = MAX_BYTES


BUCKETS: Mapping[str, Bucket] = {
    PRIVATE: Bucket("assets-private", public=False),
    PUBLIC: Bucket("assets-public", public=True),
    UPLOADS: Bucket("uploads", public=False, types=("image/png", "image/jpeg"), most=MAX_UPLOAD_BYTES),
}
"""By what keys begin with."""


class Buckets:
    """What is known of a project's buckets."""

    def __init__(self, http: SupabaseHttp) -> None:
        self._http = http
        self._checking = asyncio.Lock()
        self._good_until = 0.0
        self._were_there = False

    async def check(self) -> None:
        """Returns when bytes are safe in every bucket; makes those that are missing, the first time.

        Raises:
            PlaceUnfit: one has gone since then, or is open to those it should not be.
            PlaceUnusable: that cannot be told now.
        """
        async with self._checking:
            if time.monotonic() < self._good_until:
                return
            absent = await self.absent()
            if absent and self._were_there:
                # Whatever was in it is gone. That is for somebody to know, and nothing to make good in silence.
                raise PlaceUnfit from missing(*(bucket.id for bucket in absent))
            for bucket in absent:
                await self._create(bucket)
            if absent and await self.absent():
                raise PlaceUnusable from SupabaseTrouble(
                    "Supabase Storage has made a bucket, and then does not have it"
                )
            self._were_there = True
            self._good_until = time.monotonic() + CHECKED_FOR

    async def absent(self) -> Sequence[Bucket]:
        """Which are not there; raises as `check`."""
        looks = (self._is_there(bucket) for bucket in BUCKETS.values())
        # All of them are waited for, so that none goes on when this has ended.
        there = await asyncio.gather(*looks, return_exceptions=True)
        for answer in there:
            if isinstance(answer, BaseException):
                raise answer
        return [bucket for bucket, is_there in zip(BUCKETS.values(), there, strict=True) if not is_there]

    async def _is_there(self, bucket: Bucket) -> bool:
        try:
            found = await self._http.call("GET", f"/bucket/{bucket.id}", patience=self._http.patience.look)
        except Refused as refused:
            if refused.bucket_is_missing:
                return False
            raise PlaceUnfit from explained(refused, bucket.id)
        if not isinstance(found, dict) or found.get("id") != bucket.id:
            raise PlaceUnfit from not_supabase()
        if found.get("public") is not bucket.public:
            should = "public" if bucket.public else "private"
            raise PlaceUnfit from SupabaseTrouble(
                f"the bucket {bucket.id} is not {should}: make it so in the dashboard"
            )
        return True

    async def _create(self, bucket: Bucket) -> None:
        wanted = {
            "id": bucket.id,
            "name": bucket.id,
            "public": bucket.public,
            "file_size_limit": bucket.most,
            "allowed_mime_types": list(bucket.types),
        }
        try:
            await self._http.call("POST", "/bucket", json=wanted, patience=self._http.patience.look)
        except Refused as refused:
            if not refused.is_there_already:  # another replica starts too
                raise PlaceUnfit from explained(refused, bucket.id)
