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
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from deploy.local.background import BackgroundSystem
from gateway.settings import Address
from tests.chaos.plan import Fault, Kind
from tests.contract.cable import Cable, plugged_in
from tests.fakes.http_server import Hang, Hangup
from tests.fakes.nano_banana import KEY, FakeNanoBanana, Step, answers, bills_then, fails
from tests.nats import PASSWORD, USER, NatsServer, start_nats
from tests.systems import client_for, running_system

SERVICES = ("prompt", "generation", "storage")
PARTS = (*SERVICES, "gateway", "nats")
LEASE = 6
"""Seconds a paid call keeps others off its item."""
CALL_TIMEOUT = 3
START_AGAIN = 0.3
"""Seconds a NATS server that was killed stays away."""
FULL_STOP = 30.0

PROVIDER_STEPS: dict[str, Step] = {
    "bills and hangs up": bills_then(Hangup()),
    "bills and hangs": bills_then(Hang()),
    "hangs up": answers(Hangup()),
    "500": fails(500),
    "503": fails(503),
    "429": fails(429, retry_after="1"),
}
LOSES_ANSWERS = ("bills and hangs up", "bills and hangs", "hangs up")
"""After these nobody but the image API knows whether it billed."""


@dataclass(slots=True)
class Stage:
    """A running system; `hurt` does what a fault says and returns when it is over."""

    system: BackgroundSystem
    nats: NatsServer
    cable: Cable
    api: FakeNanoBanana
    slots: int
    """Paid calls that one process may have under way."""

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
                self.cable.cut()
            case Kind.LOSE:
                await self._lose()
            case Kind.PROVIDER:
                self.api.script.append(PROVIDER_STEPS[fault.target])

    async def work_left(self) -> int:
        """How many messages the work queue holds."""
        client = await nats.connect(f"nats://127.0.0.1:{self.nats.port}", user=USER, password=PASSWORD)
        try:
            return (await client.jetstream().stream_info("WORK")).state.messages
        finally:
            await client.close()

    async def dead_letters(self) -> int:
        """How many messages were given up."""
        client = await nats.connect(f"nats://127.0.0.1:{self.nats.port}", user=USER, password=PASSWORD)
        try:
            return (await client.jetstream().stream_info("DEAD_LETTERS")).state.messages
        finally:
            await client.close()

    async def _kill(self, part: str) -> None:
        if part == "nats":
            self.nats.kill()
            await asyncio.sleep(START_AGAIN)
            await asyncio.to_thread(self.nats.start)
        else:
            self.system.kill(part)  # its keeper starts it again

    def _signal(self, part: str, number: signal.Signals) -> None:
        if part == "nats":
            assert self.nats.process is not None
            self.nats.process.send_signal(number)
        else:
            self.system.kill(part, number)

    async def _stop(self, part: str) -> None:
        await asyncio.to_thread(self.nats.stop if part == "nats" else lambda: self.system.stop_part(part))

    async def _start(self, part: str) -> None:
        await asyncio.to_thread(self.nats.start if part == "nats" else lambda: self.system.start_part(part))

    async def _lose(self) -> None:
        try:
            client = await nats.connect(f"nats://127.0.0.1:{self.nats.port}", user=USER, password=PASSWORD)
            await client.jetstream().purge_stream("WORK")
            await client.close()
        except (NatsError, JetStreamError, OSError):
            return  # it is away itself: another fault is at work


@asynccontextmanager
async def staged(directory: Path, *, slots: int, say: Callable[[str], None]) -> AsyncIterator[Stage]:
    """A system that is ready, and stopped at the end; its data stays in `directory`."""
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(FakeNanoBanana(honours_keys=False))
        server = start_nats(directory / "nats")
        stack.callback(server.stop)
        cable, address = await stack.enter_async_context(plugged_in(Address("127.0.0.1", server.port)))
        variables = {
            "NATS_URL": server.url.replace(str(server.port), str(address.port)),
            "STUDIO_PROVIDER": "nano_banana",
            "NANO_BANANA_BASE_URL": api.url,
            "NANO_BANANA_API_KEY": KEY,
            "NANO_BANANA_TIMEOUT": str(CALL_TIMEOUT),
            "CALL_LEASE": str(LEASE),
            "RENDER_CONCURRENCY": str(slots),
        }
        starting = running_system(directory / "data", say, **variables)
        system = await asyncio.to_thread(starting.__enter__)
        try:
            yield Stage(system, server, cable, api, slots)
        finally:
            await asyncio.to_thread(starting.__exit__, None, None, None)
