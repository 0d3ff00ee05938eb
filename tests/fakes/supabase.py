"""Supabase Storage, as a server that has the real one's ways, keeps everything in memory and fails as it is told to.

It knows what the real one (v1.70) was measured to do, of the calls that anybody here makes: buckets, uploads of raw
bytes, downloads, signed links, moves, deletions and lists. `python -m tests.fakes.supabase --port 8097` serves until it
is stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.fakes.http_server import Answer, HttpServer, Request, Response
from tests.fakes.supabase_answers import (
    Refusal,
    a_json,
    bad_request,
    denied,
    exists_already,
    no_such_bucket,
    no_such_object,
    no_such_route,
)
from tests.fakes.supabase_buckets import FakeBucket, FakeBuckets, StoredObject
from tests.fakes.supabase_tokens import SERVICE_KEY, SERVICE_ROLE, check_link, role_of, sign

BASE = "/storage/v1"
GLOBAL_LIMIT = 50 * 2**20
MOST_LISTED = 1000
MISSING = "Either the object does not exist or you do not have access to it"

Serve = Callable[[], Awaitable[Answer]]
Fault = Callable[[Serve], Awaitable[Answer]]
"""How one request goes wrong: what is answered, and whether it is served all the same."""


def instead(answer: Answer | Refusal) -> Fault:
    """Nothing is done, whatever is said."""

    async def fault(serve: Serve) -> Answer:
        return answer.response() if isinstance(answer, Refusal) else answer

    return fault


def done_but(answer: Answer | Refusal) -> Fault:
    """It is done, and then this happens instead of telling so."""

    async def fault(serve: Serve) -> Answer:
        await serve()
        return answer.response() if isinstance(answer, Refusal) else answer

    return fault


class FakeSupabase(HttpServer):
    """One project's storage."""

    def __init__(self, port: int = 0) -> None:
        methods = ("GET", "POST", "PUT", "DELETE")
        super().__init__({(method, "/*"): self._answer for method in methods}, port)
        self.buckets = FakeBuckets()
        self.faults: Iterator[Fault | None] = iter(())
        """One for each request to come; None, or none left: it is served."""
        self.faults_of_each: Sequence[Fault] = ()
        """For the first requests of each method and path, when nothing else is said."""
        self._met: Counter[tuple[str, str]] = Counter()
        self.clock = time.time
        self._routes_by_shape = [
            (method, re.compile(BASE + shape), serve)
            for method, shape, serve in (
                ("POST", r"/bucket", self._create_bucket),
                ("GET", r"/bucket/([^/]+)", self._get_bucket),
                ("GET", r"/object/public/([^/]+)/(.+)", self._download_public),
                ("GET", r"/object/authenticated/([^/]+)/(.+)", self._download),
                ("GET", r"/object/info/authenticated/([^/]+)/(.+)", self._info),
                ("GET", r"/object/sign/([^/]+)/(.+)", self._download_signed),
                ("POST", r"/object/sign/([^/]+)/(.+)", self._sign),
                ("POST", r"/object/sign/([^/]+)", self._sign_many),
                ("POST", r"/object/move", self._move),
                ("POST", r"/object/list-v2/([^/]+)", self._list),
                ("POST", r"/object/([^/]+)/(.+)", self._upload),
                ("DELETE", r"/object/([^/]+)/(.+)", self._delete),
            )
        ]

    def received(self, method: str, path: str) -> list[Request]:
        """What arrived where the path begins so behind the base, in order."""
        return [one for one in self.requests if one.method == method and one.path.startswith(BASE + path)]

    async def answer(self, request: Request) -> Answer:
        """What a request is answered when nothing goes wrong."""
        for method, shape, serve in self._routes_by_shape:
            if method == request.method and (match := shape.fullmatch(request.path)):
                try:
                    return await serve(request, *map(unquote, match.groups()))
                except Refusal as refusal:
                    return refusal.response()
        return no_such_route(request.method, request.path)

    async def _answer(self, request: Request) -> Answer:
        fault = next(self.faults, None) or self._next_fault_of(request)
        return await self.answer(request) if fault is None else await fault(lambda: self.answer(request))

    def _next_fault_of(self, request: Request) -> Fault | None:
        if not self.faults_of_each:
            return None
        kind = (request.method, request.path)
        self._met[kind] += 1
        return self.faults_of_each[self._met[kind] - 1] if self._met[kind] <= len(self.faults_of_each) else None

    async def _create_bucket(self, request: Request) -> Answer:
        if self._role(request) != SERVICE_ROLE:
            raise denied("new row violates row-level security policy")
        wanted = _body(request)
        bucket = FakeBucket(
            wanted.get("id", wanted["name"]),
            wanted.get("public", False),
            wanted.get("file_size_limit"),
            wanted.get("allowed_mime_types"),
        )
        self.buckets.create(bucket, GLOBAL_LIMIT)
        return a_json({"name": wanted["name"]})

    async def _get_bucket(self, request: Request, bucket_id: str) -> Answer:
        if self._role(request) != SERVICE_ROLE:
            raise no_such_bucket()
        return a_json(self.buckets[bucket_id].described())

    async def _upload(self, request: Request, bucket_id: str, name: str) -> Answer:
        role, headers, now = self._role(request), request.headers, self.clock()
        bucket = self.buckets[bucket_id]
        said = headers.get("content-length")
        content_type = headers.get("content-type", "application/octet-stream")
        bucket.check_upload(name, None if said is None else int(said), content_type, GLOBAL_LIMIT)
        if role != SERVICE_ROLE:
            raise denied("new row violates row-level security policy")
        if name in bucket.objects and headers.get("x-upsert") != "true":
            raise exists_already("KeyAlreadyExists")
        # Between the look and the effect others come in: without x-upsert, too, several may succeed.
        await asyncio.sleep(0)
        cache_control = headers.get("cache-control", "no-cache")
        thing = StoredObject(request.body, content_type, cache_control, created_at=now, updated_at=now)
        self.buckets.put(bucket, name, thing)
        return a_json({"Key": f"{bucket_id}/{name}", "Id": thing.id})

    async def _download_public(self, request: Request, bucket_id: str, name: str) -> Answer:
        if bucket_id not in self.buckets:
            raise no_such_object()
        if not self.buckets[bucket_id].public:
            raise no_such_bucket()
        return _file(self.buckets[bucket_id].named(name))

    async def _download(self, request: Request, bucket_id: str, name: str) -> Answer:
        return _file(self._readable(request, bucket_id, name))

    async def _info(self, request: Request, bucket_id: str, name: str) -> Answer:
        thing = self._readable(request, bucket_id, name)
        described = thing.described()
        info = {
            "id": thing.id, "name": name, "bucket_id": bucket_id, "size": len(thing.data),
            "content_type": thing.content_type, "cache_control": thing.cache_control, "etag": thing.etag,
            "metadata": {}, "last_modified": described["updated_at"], "created_at": described["created_at"],
        }  # fmt: skip
        return a_json(info)

    async def _download_signed(self, request: Request, bucket_id: str, name: str) -> Answer:
        [token] = parse_qs(request.query).get("token", [None])
        expires_at = check_link(f"{bucket_id}/{name}", token, self.clock())
        if bucket_id not in self.buckets:
            raise no_such_object()
        served = _file(self.buckets[bucket_id].named(name))
        headers = {name: value for name, value in served.headers.items() if name != "cache-control"}
        return Response(200, {**headers, "expires": formatdate(expires_at, usegmt=True)}, served.body)

    async def _sign(self, request: Request, bucket_id: str, name: str) -> Answer:
        role, expires_in = self._role(request), _expires_in(_body(request))
        if role != SERVICE_ROLE or bucket_id not in self.buckets or name not in self.buckets[bucket_id].objects:
            raise no_such_object()
        return a_json({"signedURL": self._signed(bucket_id, name, expires_in)})

    async def _sign_many(self, request: Request, bucket_id: str) -> Answer:
        role, body = self._role(request), _body(request)
        expires_in, paths = _expires_in(body), body["paths"]
        there = self.buckets[bucket_id].objects if role == SERVICE_ROLE and bucket_id in self.buckets else {}
        return a_json(
            [
                {"error": None, "path": path, "signedURL": self._signed(bucket_id, path, expires_in)}
                if path in there
                else {"error": MISSING, "path": path, "signedURL": None}
                for path in paths
            ]
        )

    async def _move(self, request: Request) -> Answer:
        if self._role(request) != SERVICE_ROLE:
            raise no_such_object()
        body = _body(request)
        source = body["bucketId"]
        target = body.get("destinationBucket", source)
        self.buckets.move(source, body["sourceKey"], target, body["destinationKey"], self.clock())
        return a_json({"message": "Successfully moved"})

    async def _delete(self, request: Request, bucket_id: str, name: str) -> Answer:
        role = self._role(request)
        if request.headers.get("content-type", "").startswith("application/json") and not request.body:
            raise bad_request("Body cannot be empty when content-type is set to 'application/json'")
        if bucket_id not in self.buckets:
            raise no_such_object()
        self.buckets[bucket_id].named(name)
        if role != SERVICE_ROLE:
            raise denied("Access denied")
        del self.buckets[bucket_id].objects[name]
        return a_json({"message": "Successfully deleted"})

    async def _list(self, request: Request, bucket_id: str) -> Answer:
        role, body = self._role(request), _body(request)
        there = self.buckets[bucket_id].objects if role == SERVICE_ROLE and bucket_id in self.buckets else {}
        after, prefix = body.get("cursor", ""), body.get("prefix", "")
        names = sorted(name for name in there if name > after and name.startswith(prefix))
        page = names[: min(body.get("limit", MOST_LISTED), MOST_LISTED)]
        has_next = len(page) < len(names)
        cursor = {"nextCursor": page[-1], "nextCursorKey": page[-1]} if has_next else {}
        objects = [{"name": name, **there[name].described()} for name in page]
        return a_json({"hasNext": has_next, **cursor, "folders": [], "objects": objects})

    def _role(self, request: Request) -> str:
        return role_of(request.headers, self.clock())

    def _readable(self, request: Request, bucket_id: str, name: str) -> StoredObject:
        role, bucket = self._role(request), self.buckets[bucket_id]
        if role != SERVICE_ROLE and not bucket.public:
            raise no_such_object()
        return bucket.named(name)

    def _signed(self, bucket_id: str, name: str, expires_in: int) -> str:
        """Relative to the base, and not percent-encoded."""
        path = f"{bucket_id}/{name}"
        return f"/object/sign/{path}?token={sign(path, expires_in, self.clock())}"


def _body(request: Request) -> Any:
    return json.loads(request.body)


def _expires_in(body: Any) -> int:
    expires_in = int(body["expiresIn"])
    if expires_in < 1:
        raise bad_request("body/expiresIn must be >= 1")
    return expires_in


def _file(thing: StoredObject) -> Response:
    headers = {
        "content-type": thing.content_type, "etag": thing.etag, "cache-control": thing.cache_control,
        "last-modified": formatdate(thing.updated_at, usegmt=True), "accept-ranges": "bytes", "x-robots-tag": "none",
    }  # fmt: skip
    return Response(200, headers, thing.data)


async def serve(port: int) -> None:
    """Serves until it is cancelled."""
    async with FakeSupabase(port) as storage:
        print(f"SUPABASE_URL={storage.url} SUPABASE_SERVICE_KEY={SERVICE_KEY}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for Supabase Storage.")
    parser.add_argument("--port", type=int, default=8097)
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port))
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    main()
