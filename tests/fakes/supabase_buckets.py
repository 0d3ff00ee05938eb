"""The buckets of a Supabase Storage that is kept in memory, and the objects in them."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.supabase_answers import (
    bad_key,
    exists_already,
    no_such_bucket,
    no_such_destination,
    no_such_object,
    too_large,
    wrong_type,
)

NAME = re.compile(r"[A-Za-z0-9_/!.*'() &$=@;:+,?-]+", re.ASCII)


@dataclass(slots=True)
class StoredObject:
    """Bytes, and what is known of them."""

    data: bytes
    content_type: str
    cache_control: str
    created_at: float
    updated_at: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def etag(self) -> str:
        """Quoted."""
        return f'"{hashlib.md5(self.data).hexdigest()}"'

    def described(self) -> dict[str, Any]:
        """As a list shows it, but for its name."""
        metadata = {
            "eTag": self.etag, "size": len(self.data), "mimetype": self.content_type,
            "cacheControl": self.cache_control, "lastModified": _time(self.updated_at),
            "contentLength": len(self.data), "httpStatusCode": 200,
        }  # fmt: skip
        times = {"created_at": _time(self.created_at), "updated_at": _time(self.updated_at)}
        return {"id": self.id, **times, "last_accessed_at": times["created_at"], "metadata": metadata}


@dataclass(slots=True)
class FakeBucket:
    """One bucket."""

    id: str
    public: bool = False
    file_size_limit: int | None = None
    allowed_mime_types: list[str] | None = None
    objects: dict[str, StoredObject] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """As its own route shows it."""
        return {
            "id": self.id, "name": self.id, "owner": "", "public": self.public,
            "file_size_limit": self.file_size_limit, "allowed_mime_types": self.allowed_mime_types,
            "created_at": _time(0), "updated_at": _time(0),
        }  # fmt: skip

    def check_upload(self, name: str, said_length: int | None, content_type: str, most: int) -> None:
        """Refuses what does not belong here; a size only when it was said beforehand, and a type only as a string."""
        check_name(name)
        if said_length is not None and said_length > min(most, self.file_size_limit or most):
            raise too_large()
        if self.allowed_mime_types is not None and content_type not in self.allowed_mime_types:
            raise wrong_type(content_type)

    def named(self, name: str) -> StoredObject:
        """An object that has to be there."""
        if name not in self.objects:
            raise no_such_object()
        return self.objects[name]


class FakeBuckets:
    """All buckets of a project."""

    def __init__(self) -> None:
        self._buckets: dict[str, FakeBucket] = {}
        self.ever_public: list[bytes] = []
        """All bytes that were ever in a public bucket."""

    def __getitem__(self, bucket_id: str) -> FakeBucket:
        if bucket_id not in self._buckets:
            raise no_such_bucket()
        return self._buckets[bucket_id]

    def __contains__(self, bucket_id: str) -> bool:
        return bucket_id in self._buckets

    def create(self, bucket: FakeBucket, most: int) -> None:
        if bucket.id in self._buckets:
            raise exists_already("BucketAlreadyExists")
        if (bucket.file_size_limit or 0) > most:
            raise too_large()
        self._buckets[bucket.id] = bucket

    def drop(self, bucket_id: str) -> FakeBucket:
        """Takes a bucket away with all that is in it, as somebody may do in the dashboard."""
        return self._buckets.pop(bucket_id)

    def put_back(self, bucket: FakeBucket) -> None:
        self._buckets[bucket.id] = bucket

    def put(self, bucket: FakeBucket, name: str, thing: StoredObject) -> None:
        """Puts an object into a bucket, in place of what was there."""
        before = bucket.objects.get(name)
        if before is not None:
            thing.id, thing.created_at = before.id, before.created_at
        bucket.objects[name] = thing
        if bucket.public:
            self.ever_public.append(thing.data)

    def put_bytes(self, bucket_id: str, name: str, data: bytes, now: float) -> None:
        """As somebody may do in the dashboard."""
        self.put(self[bucket_id], name, StoredObject(data, "image/png", "no-cache", now, now))

    def move(self, source_id: str, source_name: str, target_id: str, target_name: str, now: float) -> None:
        """Whatever the target bucket's rules for sizes and types say."""
        check_name(target_name)
        if source_id not in self._buckets:
            raise no_such_object()
        thing = self._buckets[source_id].named(source_name)
        if target_id not in self._buckets:
            raise no_such_destination()
        if target_name in self._buckets[target_id].objects:
            raise exists_already("ResourceAlreadyExists")
        del self._buckets[source_id].objects[source_name]
        thing.updated_at = now
        self.put(self._buckets[target_id], target_name, thing)

    def names(self) -> set[str]:
        """Every object there is, as `<bucket>/<name>`."""
        return {f"{bucket.id}/{name}" for bucket in self._buckets.values() for name in bucket.objects}


def check_name(name: str) -> None:
    """Refuses what may not be the name of an object."""
    if not NAME.fullmatch(name) or ".." in name.split("/"):
        raise bad_key(name)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
