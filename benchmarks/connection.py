"""One HTTP/1.1 connection that costs next to nothing, so that what is measured is the other end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT = 60.0
CHUNKED = b"\r\ntransfer-encoding: chunked"


class UnexpectedAnswer(Exception):
    """What came is not what a measurement counts."""


@dataclass(slots=True)
class Connection:
    """Stays open between requests; one request at a time."""

    host: str
    headers: Mapping[str, str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, url: str, token: str | None = None) -> Self:
        """To the server at the URL, as the user whose token it is."""
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=4 * 2**20)
        return cls(address.netloc, {"Authorization": f"Bearer {token}"} if token else {}, reader, writer)

    async def get(self, path: str) -> Any:
        """What a 200 says."""
        return await self.call("GET", path)

    async def post(self, path: str, body: Any, **headers: str) -> Any:
        """What a 201 says."""
        return await self.call("POST", path, json.dumps(body).encode(), expected=201, **headers)

    async def call(self, method: str, path: str, body: bytes = b"", *, expected: int = 200, **headers: str) -> Any:
        """The JSON that is answered.

        Raises:
            UnexpectedAnswer: the status is another than the expected one.
        """
        return json.loads(await self.exchange(method, path, body, expected=expected, **headers) or b"null")

    async def exchange(self, method: str, path: str, body: bytes, *, expected: int = 200, **headers: str) -> bytes:
        """The bytes that are answered; raises as `call`."""
        async with asyncio.timeout(TIMEOUT):
            self._send(method, path, body, headers)
            status, head = await self._head()
            content = await self._content(head)
        if status != expected:
            raise UnexpectedAnswer(f"{method} {path}: {status} {content[:300].decode(errors='replace')}")
        return content

    async def events(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """What a stream of server-sent events tells, until it ends; the connection can not be used after it."""
        self._send("GET", path, b"", {})
        status, _ = await self._head()
        if status != 200:
            raise UnexpectedAnswer(f"GET {path}: {status}")
        while line := await self.reader.readline():
            if line == b"0\r\n":  # the last chunk
                return
            if line.startswith(b"data: "):
                yield json.loads(line[6:])

    async def close(self) -> None:
        self.writer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _send(self, method: str, path: str, body: bytes, more: Mapping[str, str]) -> None:
        headers = {"Host": self.host, **self.headers, **{name.replace("_", "-"): value for name, value in more.items()}}
        if body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    async def _head(self) -> tuple[int, bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        return int(head[9:12]), head

    async def _content(self, head: bytes) -> bytes:
        if CHUNKED not in head:
            length = head.partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0]
            return await self.reader.readexactly(int(length or 0))
        content = bytearray()
        while size := int(await self.reader.readline(), 16):
            content += await self.reader.readexactly(size)
            await self.reader.readline()
        await self.reader.readline()
        return bytes(content)
