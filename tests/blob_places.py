"""The places for bytes: each with blobs over it, and a look at what is really there."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import httpx

from services.storage.blobs.local import LocalBlobs
from services.storage.blobs.supabase import SupabaseBlobs
from services.storage.blobs.supabase_buckets import BUCKETS
from services.storage.blobs.supabase_http import Patience, SupabaseHttp
from services.storage.links import Signer
from services.storage.ports import Blobs, Clock
from tests.builders import FILES_SECRET, NOON
from tests.crashing import Fuse
from tests.fakes.http_server import Request, Response
from tests.fakes.supabase import FakeSupabase
from tests.fakes.supabase_tokens import SERVICE_KEY

PUBLIC_URL = "https://studio.example"
SIGNER = Signer(FILES_SECRET.encode())
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once, since that takes longer than a test, and nobody here speaks TLS."""
PATIENCE = Patience(connect=5, look=5, call=5, upload=5, pauses=(0, 0, 0))
"""On a machine where everything is near: no pauses, and no call is ever given up."""
HASTE = replace(PATIENCE, look=0.1, call=0.1, upload=0.1, in_all=60, pauses=(0,) * 30)
"""For a server that hangs on purpose; a slow machine has many tries more."""


class Place(Protocol):
    """One place, on which any number of processes may work."""

    def blobs(self, clock: Clock) -> Blobs:
        """As a process opens it."""
        ...

    def all_keys(self) -> set[str]:
        """Everything that is really there, ours or not."""
        ...

    def put(self, key: str, data: bytes, written_at: datetime = NOON) -> None:
        """Behind everybody's back."""
        ...

    def take(self, key: str) -> None:
        """Behind everybody's back."""
        ...

    async def shows(self, key: str) -> bool:
        """Whether the place itself shows these bytes to anybody who knows the key."""
        ...


class LocalPlace:
    """A directory, drafts and all."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def blobs(self, clock: Clock) -> LocalBlobs:
        return LocalBlobs(self.directory, PUBLIC_URL, SIGNER, clock)

    def all_keys(self) -> set[str]:
        return {str(path.relative_to(self.directory)) for path in self.directory.rglob("*") if path.is_file()}

    def put(self, key: str, data: bytes, written_at: datetime = NOON) -> None:
        path = self.directory / key
        path.write_bytes(data)
        os.utime(path, (written_at.timestamp(),) * 2)

    def take(self, key: str) -> None:
        (self.directory / key).unlink()

    async def shows(self, key: str) -> bool:
        return False


class SupabasePlace:
    """Two buckets of a fake."""

    def __init__(self, storage: FakeSupabase, patience: Patience = PATIENCE) -> None:
        self.storage = storage
        self._patience = patience
        self._open: list[SupabaseHttp] = []

    def http(self, fuse: Fuse | None = None, key: str = SERVICE_KEY, patience: Patience | None = None) -> SupabaseHttp:
        """As a process opens it; with a fuse, the process dies between two requests."""
        transport: httpx.AsyncBaseTransport = httpx.AsyncHTTPTransport(verify=TLS)
        if fuse is not None:
            transport = FusedTransport(transport, fuse)
        http = SupabaseHttp(self.storage.url, key, patience=patience or self._patience, transport=transport)
        self._open.append(http)
        return http

    def blobs(self, clock: Clock, fuse: Fuse | None = None) -> SupabaseBlobs:
        return SupabaseBlobs(self.http(fuse), clock)

    def all_keys(self) -> set[str]:
        sides = {bucket.id: side for side, bucket in BUCKETS.items()}
        names = (name.partition("/") for name in self.storage.buckets.names())
        return {f"{sides[bucket]}/{name}" for bucket, _, name in names}

    def put(self, key: str, data: bytes, written_at: datetime = NOON) -> None:
        side, _, name = key.partition("/")
        self.storage.buckets.put_bytes(BUCKETS[side].id, name, data, written_at.timestamp())

    def take(self, key: str) -> None:
        side, _, name = key.partition("/")
        del self.storage.buckets[BUCKETS[side].id].objects[name]

    async def shows(self, key: str) -> bool:
        side, _, name = key.partition("/")
        return await self.serves(f"{self.storage.url}/storage/v1/object/public/{BUCKETS[side].id}/{name}")

    async def serves(self, url: str) -> bool:
        """Whether anybody who has this url is shown something; asked without a socket."""
        path, _, query = url.removeprefix(self.storage.url).partition("?")
        answer = await self.storage.answer(Request("GET", path, query, {}, b""))
        return isinstance(answer, Response) and answer.status == 200

    async def close(self) -> None:
        for http in self._open:
            await http.close()


class FusedTransport(httpx.AsyncBaseTransport):
    """Steps on a fuse before and after each request that changes something, whose effect is there with its answer."""

    def __init__(self, transport: httpx.AsyncBaseTransport, fuse: Fuse) -> None:
        self._transport = transport
        self._fuse = fuse

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" or "/object/sign/" in request.url.path:
            return await self._transport.handle_async_request(request)
        self._fuse.step()
        response = await self._transport.handle_async_request(request)
        try:
            self._fuse.step()
        except BaseException:
            await response.aclose()
            raise
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()


@asynccontextmanager
async def open_place(kind: str, directory: Path, patience: Patience = PATIENCE) -> AsyncIterator[Place]:
    """`local` or `supabase`, with nothing in it."""
    if kind == "local":
        yield LocalPlace(directory)
        return
    async with AsyncExitStack() as stack:
        place = SupabasePlace(await stack.enter_async_context(FakeSupabase()), patience)
        stack.push_async_callback(place.close)
        yield place


async def opens(url: str) -> bool:
    """Whether anybody who has this url is shown something."""
    async with httpx.AsyncClient(trust_env=False, verify=TLS) as anybody:
        answer = await anybody.get(url)
    return answer.is_success and bool(answer.content)
