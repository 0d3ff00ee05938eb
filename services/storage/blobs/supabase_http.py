"""Requests to Supabase Storage: few at once, each in bounded time, and again only when that may help."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from services.storage.blobs.supabase_answers import Refused, SupabaseAway, understand
from services.storage.domain import PlaceUnusable

T = TypeVar("T")

CONNECTIONS = 32
READERS = 64
"""Of their own: whoever reads slowly keeps a connection, and must not keep everybody else from working."""
CHUNK = 256 * 1024
LONGEST_ANSWER = 4 * 2**20
"""Bytes; a page of a thousand objects has a sixth of that."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long it is waited, in seconds."""

    connect: float = 3.0
    look: float = 2.0
    """For one try to see whether all is well."""
    call: float = 5.0
    """For one try of a call that moves no bytes through us."""
    upload: float = 60.0
    """For one try to bring up to 25 MiB."""
    in_all: float = 2.0
    """For all tries of a call together, in times of one: what an app waits for is over within 20 seconds."""
    pauses: Sequence[float] = (0.1, 0.4, 1.2)
    """Before each further try; a bit less each, so that callers who failed together do not return together."""


PATIENCE = Patience()


class SupabaseHttp:
    """A project's storage, spoken to with its service key.

    Every request may be made again: each is a question, or has its effect once however often it is made.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        patience: Patience = PATIENCE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base = f"{url.rstrip('/')}/storage/v1"
        self.patience = patience
        self._http, self._readers = (
            httpx.AsyncClient(
                headers=_headers(key),
                limits=httpx.Limits(max_connections=size, max_keepalive_connections=size),
                timeout=httpx.Timeout(patience.call, connect=patience.connect),
                transport=transport,
                trust_env=False,
            )
            for size in (CONNECTIONS, READERS)
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Any:
        """The JSON of the answer; `patience` is in seconds and for one try.

        Raises:
            Refused: the server says no.
            PlaceUnusable: it says nothing, or that it cannot.
        """
        patience = patience or self.patience.call
        # Bytes and nothing else: of a body whose length is not said beforehand the server checks no size.
        request = self._http.build_request(
            method,
            self.base + path,
            json=json,
            content=content,
            headers=headers,
            timeout=httpx.Timeout(patience, connect=self.patience.connect),
        )
        return await self._persist(lambda: self._exchange(request, patience), patience)

    @asynccontextmanager
    async def download(self, path: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes at a path.

        Raises:
            Refused: the server says no, before the first byte.
            PlaceUnusable: it says nothing, or stops in the middle.
        """
        response = await self._persist(lambda: self._open(path), self.patience.call)
        async with aclosing(response):
            yield _chunks(response)

    async def close(self) -> None:
        """Cuts what is under way."""
        await self._http.aclose()
        await self._readers.aclose()

    async def _persist(self, attempt: Callable[[], Awaitable[T]], patience: float) -> T:
        trouble = _silent(patience)
        with suppress(TimeoutError):  # `trouble` says what the time was spent on
            async with asyncio.timeout(self.patience.in_all * patience):
                for pause in (*self.patience.pauses, 0.0):
                    try:
                        return await attempt()
                    except SupabaseAway as passing:
                        trouble = passing
                    await asyncio.sleep(pause * random.uniform(0.5, 1.0))
        raise PlaceUnusable from trouble

    async def _exchange(self, request: httpx.Request, patience: float) -> Any:
        try:
            async with (
                asyncio.timeout(patience),
                aclosing(await self._http.send(request, stream=True)) as response,
            ):
                return understand(response.status_code, await _read(response))
        except (httpx.HTTPError, TimeoutError) as error:
            raise _no_answer(error, patience) from error

    async def _open(self, path: str) -> httpx.Response:
        patience = self.patience.call
        try:
            async with asyncio.timeout(patience):
                response = await self._readers.send(self._readers.build_request("GET", self.base + path), stream=True)
                if response.status_code == httpx.codes.OK and _is_picture(response):
                    return response
                async with aclosing(response):
                    understand(response.status_code, await _read(response))
                    # Somebody says yes, and has no picture.
                    raise Refused(response.status_code, "")
        except (httpx.HTTPError, TimeoutError) as error:
            raise _no_answer(error, patience) from error


async def _read(response: httpx.Response) -> bytes:
    """The body, as long as any may be; cut off, it is no JSON. Not unpacked, since we ask for nothing packed."""
    data = bytearray()
    async for part in response.aiter_raw():
        data += part
        if len(data) > LONGEST_ANSWER:
            break
    return bytes(data)


def _is_picture(response: httpx.Response) -> bool:
    return str(response.headers.get("Content-Type", "")).startswith("image/")


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_raw(CHUNK):
            yield chunk
    except httpx.HTTPError as error:
        raise PlaceUnusable from SupabaseAway(f"Supabase Storage stops in the middle ({type(error).__name__})")


def _no_answer(error: Exception, patience: float) -> SupabaseAway:
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return _silent(patience)
    return SupabaseAway(f"SUPABASE_URL cannot be reached ({type(error).__name__})")


def _silent(patience: float) -> SupabaseAway:
    return SupabaseAway(f"Supabase Storage does not answer within {patience:g} s")


def _headers(key: str) -> dict[str, str]:
    # A secret key is for the gateway, which puts a token in its place; the server itself would take it for a bad one.
    token = {} if key.startswith("sb_") else {"Authorization": f"Bearer {key}"}
    return {"apikey": key, **token, "Accept-Encoding": "identity"}
