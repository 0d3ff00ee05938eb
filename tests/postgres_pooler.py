"""A pooler in front of PostgreSQL, which does to its clients what PgBouncer and Supabase's Supavisor do.

It refuses parameters of a connection that it does not know itself, gives every session a number of its own making, and
in transaction mode hands each transaction the session that was given back last. It asks for no password.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Mode = Literal["session", "transaction"]

SSL_REQUEST = 80877103
KNOWN = {"user", "database", "application_name", "client_encoding"}
MADE_UP = 4_000_000
"""Where its own session numbers begin: no process has one so high."""
ANSWERED = (b"Q", b"S")
"""A simple query, and the end of an extended one: what a server answers with ReadyForQuery."""


@dataclass(frozen=True, slots=True)
class Session:
    """One with the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    greeting: bytes
    """What the server said of itself."""
    states: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    """After each answer: (I)dle, in a (T)ransaction, or in one that (E)nded badly."""

    @asynccontextmanager
    async def answering(self, client: asyncio.StreamWriter) -> AsyncIterator[None]:
        """Passes on what the server says; a client may ask for it before its question ends."""
        relay = asyncio.create_task(self._relay(client))
        try:
            yield
        finally:
            relay.cancel()
            await asyncio.wait({relay})

    async def _relay(self, client: asyncio.StreamWriter) -> None:
        while True:
            message = await _message(self.reader)
            client.write(message)
            if message[:1] == b"Z":
                self.states.put_nowait(message[5:])


@dataclass(slots=True)
class Pooler:
    """One database's."""

    url: str
    mode: Mode
    opened: int = 0
    """Sessions with the server, those that were closed among them."""
    _free: list[Session] = field(default_factory=list)
    _ends: list[asyncio.StreamWriter] = field(default_factory=list)
    _clients: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.append(writer)
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the client has gone
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        startup = await _startup(reader, writer)
        strange = _parameters(startup).keys() - KNOWN
        if strange:
            writer.write(_error("08P01", f"unsupported startup parameter: {sorted(strange)[0]}"))
            return
        session = await self._take(startup)
        self._clients += 1
        number = struct.pack("!iii", 12, MADE_UP + self._clients, 1)
        writer.write(session.greeting + b"K" + number + _ready(b"I"))
        if self.mode == "session":
            async with session.answering(writer):
                while (message := await _message(reader))[:1] != b"X":
                    session.writer.write(message)
            session.writer.close()
            return
        self._free.append(session)
        while (message := await _message(reader))[:1] != b"X":
            await self._transaction(message, await self._take(startup), reader, writer)

    async def _transaction(
        self, message: bytes, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        async with session.answering(writer):
            while True:
                session.writer.write(message)
                if message[:1] in ANSWERED and await session.states.get() == b"I":
                    break
                message = await _message(reader)
        self._free.append(session)

    async def _take(self, startup: bytes) -> Session:
        if self._free:
            return self._free.pop()
        self.opened += 1
        address = urlsplit(self.url)
        assert address.hostname is not None
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        self._ends.append(writer)
        writer.write(startup)
        greeting = b""
        while (message := await _message(reader))[:1] != b"Z":
            greeting += message if message[:1] != b"K" else b""
        return Session(reader, writer, greeting)

    def close(self) -> None:
        for end in self._ends:
            end.transport.abort()


async def _startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    while True:
        head = await reader.readexactly(8)
        length, code = struct.unpack("!ii", head)
        if code != SSL_REQUEST:
            return head + await reader.readexactly(length - 8)
        writer.write(b"N")


def _parameters(startup: bytes) -> dict[str, str]:
    words = startup[8:].rstrip(b"\0").decode().split("\0")
    return dict(zip(words[::2], words[1::2], strict=True))


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    (length,) = struct.unpack("!i", head[1:])
    return head + await reader.readexactly(length - 4)


def _ready(status: bytes) -> bytes:
    return b"Z" + struct.pack("!i", 5) + status


def _error(code: str, text: str) -> bytes:
    body = f"SFATAL\0C{code}\0M{text}\0\0".encode()
    return b"E" + struct.pack("!i", len(body) + 4) + body


@asynccontextmanager
async def running_pooler(url: str, mode: Mode) -> AsyncIterator[tuple[Pooler, str]]:
    """Yields it, and the address through it."""
    pooler = Pooler(url, mode)
    server = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    try:
        yield pooler, url.replace(f":{urlsplit(url).port}/", f":{server.sockets[0].getsockname()[1]}/")
    finally:
        server.close()
        pooler.close()
        await server.wait_closed()
