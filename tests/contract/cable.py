"""A TCP connection that a test can cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from gateway.settings import Address


@dataclass(slots=True)
class Cable:
    """Passes bytes on between whoever connects and one service."""

    to: Address
    ends: list[asyncio.StreamWriter] = field(default_factory=list)
    flows: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is clear, nothing gets through, as from a process that hangs."""

    def __post_init__(self) -> None:
        self.flows.set()

    def cut(self) -> None:
        """Breaks every connection at once, as a crash does; new ones are made as before."""
        for end in self.ends:
            end.transport.abort()
        self.ends.clear()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(self.to.host, self.to.port)
        except OSError:
            writer.transport.abort()  # nobody is there: whoever called hears so
            return
        self.ends += [writer, far_writer]
        await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection that was cut has nothing more to say.
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await self.flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def plugged_in(to: Address) -> AsyncIterator[tuple[Cable, Address]]:
    """Yields a cable to a service, and where its other end is."""
    cable = Cable(to)
    server = await asyncio.start_server(cable.connect, "127.0.0.1", 0)
    try:
        yield cable, Address("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        cable.flows.set()
        cable.cut()
        await server.wait_closed()
