"""The system under chaos: real processes, an image API that counts what it bills, and every way to hurt them."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from chassis.queue.address import Address
from deploy.local.background import BackgroundSystem
from deploy.local.studio import embedded_nats_url
from gateway.settings import Address as Place
from tests.chaos.plan import Fault, Kind
from tests.contract.cable import Cable, plugged_in
from tests.fakes.http_server import Hang, Hangup
from tests.fakes.nano_banana import KEY, FakeNanoBanana, Step, answers, bills_then, fails
from tests.nats import NatsServer, start_nats
from tests.postgres import running_postgres
from tests.systems import client_for, running_system

SERVICES = ("prompt", "generation", "storage")
LEASE = 6
"""Seconds a paid call keeps others off its item."""
CALL_TIMEOUT = 3
START_AGAIN = 0.3
"""Seconds a NATS server that was killed stays away."""

PROVIDER_STEPS: dict[str, Step] = {
    "bills and hangs up": bills_then(Hangup()),
    "bills and hangs": bills_then(Hang()),
    "hangs up": answers(Hangup()),
    "500": fails(500),
    "503": fails(503),
    "429": fails(429, retry_after="1"),
}


@dataclass(slots=True)
class Stage:
    """A running system; `hurt` does what a fault says and returns when it is over."""

    system: BackgroundSystem
    api: FakeNanoBanana
    slots: int
    """Paid calls that one process may have under way."""
    database_url: str | None
    """Where all rows are; None: in files of the data directory."""
    nats_url: str
    """As a judge reaches it, over no cable."""
    nats: NatsServer | None
    """A server of our own; None: they are parts of the system."""
    cable: Cable | None
    """What leads to it."""

    @property
    def parts(self) -> tuple[str, ...]:
        """What can be hurt."""
        return (*self.system.parts, *(("nats",) if self.nats else ()))

    def client(self, user: str) -> httpx.AsyncClient:
        """An app of a user, which does not wait for ever."""
        client = client_for(self.system, user)
        client.timeout = httpx.Timeout(10)
        return client

    async def hurt(self, fault: Fault) -> None:
        """Does it, and undoes what can be undone."""
        match fault.kind:
            case Kind.KILL:
                await self._kill(fault.target)
            case Kind.PAUSE:
                self._signal(fault.target, signal.SIGSTOP)
                await asyncio.sleep(fault.seconds)
                self._signal(fault.target, signal.SIGCONT)
            case Kind.RESTART:
                await self._stop(fault.target)
                await self._start(fault.target)
            case Kind.OUTAGE:
                await self._stop(fault.target)
                await asyncio.sleep(fault.seconds)
                await self._start(fault.target)
            case Kind.CUT:
                assert self.cable is not None
                self.cable.cut()
            case Kind.LOSE:
                await self._lose()
            case Kind.PROVIDER:
                self.api.script.append(PROVIDER_STEPS[fault.target])

    async def rest(self) -> None:
        """Stops the services, so that what they left can be read."""
        services = [part for part in self.system.parts if part.startswith(SERVICES)]
        await asyncio.gather(*(self._stop(part) for part in services))

    async def messages(self, stream: str) -> int:
        """How many it holds."""
        client = await self._to_nats()
        try:
            return (await client.jetstream().stream_info(stream)).state.messages
        finally:
            await client.close()

    async def _to_nats(self) -> Client:
        address = Address.parse(self.nats_url)
        return await nats.connect(list(address.servers), user=address.user, password=address.password)

    async def _kill(self, part: str) -> None:
        if part == "nats" and self.nats is not None:
            self.nats.kill()
            await asyncio.sleep(START_AGAIN)
            await asyncio.to_thread(self.nats.start)
        else:
            self.system.kill(part)  # its keeper starts it again

    def _signal(self, part: str, number: signal.Signals) -> None:
        if part == "nats" and self.nats is not None:
            assert self.nats.process is not None
            self.nats.process.send_signal(number)
        else:
            self.system.kill(part, number)

    async def _stop(self, part: str) -> None:
        ours = self.nats if part == "nats" else None
        await asyncio.to_thread(ours.stop if ours else lambda: self.system.stop_part(part))

    async def _start(self, part: str) -> None:
        ours = self.nats if part == "nats" else None
        await asyncio.to_thread(ours.start if ours else lambda: self.system.start_part(part))

    async def _lose(self) -> None:
        try:
            client = await self._to_nats()
            await client.jetstream().purge_stream("WORK")
            await client.close()
        except (NatsError, JetStreamError, OSError):
            return  # it is away itself: another fault is at work


@asynccontextmanager
async def staged(directory: Path, *, slots: int, cluster: bool, say: Callable[[str], None]) -> AsyncIterator[Stage]:
    """A system that is ready, and stopped at the end; its data stays in `directory` until the block ends.

    One of everything on SQLite, or as a cluster: two of each service on PostgreSQL, and three NATS servers.
    """
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(FakeNanoBanana(honours_keys=False))
        paying = {
            "STUDIO_PROVIDER": "nano_banana",
            "NANO_BANANA_BASE_URL": api.url,
            "NANO_BANANA_API_KEY": KEY,
            "NANO_BANANA_TIMEOUT": str(CALL_TIMEOUT),
            "CALL_LEASE": str(LEASE),
            "RENDER_CONCURRENCY": str(slots),
        }
        make = _cluster if cluster else _one_of_each
        yield await make(stack, directory, api, slots, paying, say)


async def _one_of_each(
    stack: AsyncExitStack,
    directory: Path,
    api: FakeNanoBanana,
    slots: int,
    variables: dict[str, str],
    say: Callable[[str], None],
) -> Stage:
    server = start_nats(directory / "nats")
    stack.callback(server.stop)
    cable, address = await stack.enter_async_context(plugged_in(Place("127.0.0.1", server.port)))
    variables |= {"NATS_URL": server.url.replace(str(server.port), str(address.port))}
    system = await _running(stack, directory, variables, say)
    return Stage(system, api, slots, None, server.url, server, cable)


async def _cluster(
    stack: AsyncExitStack,
    directory: Path,
    api: FakeNanoBanana,
    slots: int,
    variables: dict[str, str],
    say: Callable[[str], None],
) -> Stage:
    database = stack.enter_context(running_postgres()).url
    variables |= {"DATABASE_URL": database, "STUDIO_REPLICAS": "2", "STUDIO_NATS_SERVERS": "3"}
    system = await _running(stack, directory, variables, say)
    return Stage(system, api, slots, database, embedded_nats_url(system.settings), None, None)


async def _running(
    stack: AsyncExitStack, directory: Path, variables: dict[str, str], say: Callable[[str], None]
) -> BackgroundSystem:
    starting = running_system(directory / "data", say, **variables)
    system = await asyncio.to_thread(starting.__enter__)
    stack.push_async_callback(asyncio.to_thread, starting.__exit__, None, None, None)
    return system
