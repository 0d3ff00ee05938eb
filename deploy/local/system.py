"""The whole system as processes on one machine, to be started and stopped by a program."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self

from deploy.local.keeper import BACKOFF, Backoff
from deploy.local.lock import DataDirLock
from deploy.local.parts import Say, Stages
from deploy.local.ports import check_ports
from deploy.local.readiness import PATIENCE, wait_ready
from deploy.local.room import watch_room
from deploy.local.secrets import with_secrets
from deploy.local.settings import LocalSettings
from deploy.local.studio import studio_stages
from deploy.local.supervisor import Supervisor


def say_on_stderr(line: str) -> None:
    """Where the system talks to a person unless told otherwise."""
    print(line, file=sys.stderr, flush=True)


class LocalSystem:
    """One running system.

    `settings` are those asked for until it starts, and from then on those it runs with: ports that were 0 have
    their number, and secrets that were missing are there.
    """

    def __init__(
        self,
        settings: LocalSettings,
        *,
        stages: Callable[[LocalSettings], Stages] = studio_stages,
        say: Say = say_on_stderr,
        backoff: Backoff = BACKOFF,
        grace: float = 10.0,
    ) -> None:
        self.settings = settings
        self._build = stages
        self._say = say
        self._backoff = backoff
        self._grace = grace
        self._lock = DataDirLock(settings.data_dir)
        self._supervisor: Supervisor | None = None
        self._room: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return self.settings.url

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of all that runs, in the order of its start: with replicas, `generation-1` and so on."""
        return self._running.parts

    async def start(self) -> None:
        """Starts every part; `wait_ready` returns when they answer.

        Raises:
            CannotStart: saying why; nothing was started.
            SettingsError: naming every secret that production misses, or every variable that is bad.
        """
        self._lock.acquire()
        try:
            self.settings = with_secrets(self.settings.with_free_ports())
            stages = self._build(self.settings)
            check_ports({name: port for stage in stages for part in stage for name, port in part.ports.items()})
            self._supervisor = Supervisor(
                stages,
                logs=self.settings.data_dir / "logs",
                say=self._say,
                verbose=self.settings.verbose,
                backoff=self._backoff,
                grace=self._grace,
            )
            await self._supervisor.start()
            self._room = asyncio.create_task(watch_room(self.settings.data_dir, self._say), name="watch the disk")
        except BaseException:
            await self.stop()
            raise

    async def wait_ready(self, timeout: float | None = None, *, patience: float = PATIENCE) -> None:
        """Returns when every part answers; after each `patience` says which does not. Both in seconds.

        Raises:
            NotReady: naming what does not.
        """
        await wait_ready(self._running, self.url, self._say, timeout=timeout, patience=patience)

    async def stop(self) -> None:
        """Stops every part, the last one started first; leaves no process behind."""
        try:
            if self._room is not None:
                self._room.cancel()
                await asyncio.gather(self._room, return_exceptions=True)
            if self._supervisor is not None:
                await self._supervisor.stop()
        finally:
            self._room = None
            self._supervisor = None
            self._lock.release()

    def abandon(self) -> None:
        """Kills everything at once; a `stop` under way then returns soon."""
        if self._supervisor is not None:
            self._supervisor.abandon()

    def pid(self, part: str) -> int:
        """The process of a part; of the last one while it is down."""
        return self._running.keeper(part).pid

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends a part a signal; when it dies of it, it is started again."""
        self._running.kill(part, number)

    async def start_part(self, part: str) -> None:
        """Starts a part that was stopped."""
        await self._running.start_part(part)

    async def stop_part(self, part: str) -> None:
        """Stops a part and leaves it stopped."""
        await self._running.stop_part(part)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise RuntimeError("the system is not running")
        return self._supervisor
