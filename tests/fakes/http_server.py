"""A small HTTP/1.1 server for fakes: routes to handlers, and every way of not answering."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    """Without the query."""
    query: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    says_length: bool = True
    """Else the body ends where the connection does."""
    drip: float = 0.0
    """Seconds before each byte of the body; 0 sends it at once."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """Cuts the connection, after sending these raw bytes."""

    after: bytes = b""


@dataclass(frozen=True, slots=True)
class Hang:
    """Says nothing more after these raw bytes, until the client leaves."""

    after: bytes = b""


Answer = Response | Hangup | Hang
Handler = Callable[[Request], Awaitable[Answer]]


class HttpServer:
    """Listens on a port of 127.0.0.1, a free one unless told; answers 404 where it has no route."""

    def __init__(self, routes: Mapping[tuple[str, str], Handler], port: int = 0) -> None:
        """Routes go by method and path; a path that ends in `*` takes all that begin like it, if none is exact."""
        self._routes = routes
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()
        self.port = port
        self.requests: list[Request] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """May follow `close`: the port stays the same."""
        self._server = await asyncio.start_server(self._converse, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Cuts every connection; from then on the port refuses. Raises what a handler raised."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        conversations, self._conversations = self._conversations, set()
        for conversation in conversations:
            conversation.cancel()
        for outcome in await asyncio.gather(*conversations, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._conversations.add(task)
        try:
            while (request := await _read(reader)) is not None:
                self.requests.append(request)
                answer = await self._handler(request)(request)
                if not await _send(answer, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client left, or `close` cut it off
        finally:
            writer.close()
        # Only what went wrong stays, for `close` to raise.
        self._conversations.discard(task)

    def _handler(self, request: Request) -> Handler:
        exact = self._routes.get((request.method, request.path))
        if exact is not None:
            return exact
        for (method, path), handler in self._routes.items():
            if method == request.method and path.endswith("*") and request.path.startswith(path[:-1]):
                return handler
        return _not_found


async def _not_found(_: Request) -> Answer:
    return Response(404, {"content-type": "application/json"}, b'{"error": {"code": "not_found"}}')


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request; None when there is none."""
    first = await reader.read(1)
    # What is no letter is no method: somebody speaks TLS, and would wait for an answer in it.
    if not first.isalpha():
        return None
    line = first + await reader.readline()
    method, target, _ = line.decode("latin-1").split(" ", 2)
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    while (line := await reader.readline()).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        return Request(method, path, query, headers, await _chunks(reader))
    return Request(method, path, query, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return bytes(body)


async def _send(answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether the connection goes on."""
    if isinstance(answer, Response):
        return await _send_response(answer, writer)
    writer.write(answer.after)
    await writer.drain()
    if isinstance(answer, Hang):
        await reader.read()
    return False


async def _send_response(response: Response, writer: asyncio.StreamWriter) -> bool:
    headers = dict(response.headers)
    if response.says_length:
        headers["content-length"] = str(len(response.body))
    else:
        headers["connection"] = "close"
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {response.status} {_phrase(response.status)}\r\n{head}\r\n".encode("latin-1"))
    for piece in _pieces(response):
        if response.drip:
            await writer.drain()
            await asyncio.sleep(response.drip)
        writer.write(piece)
    await writer.drain()
    return response.says_length


def _pieces(response: Response) -> list[bytes]:
    if not response.drip:
        return [response.body]
    return [response.body[start : start + 1] for start in range(len(response.body))]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
