"""Live progress: the stream of one job, always read from its row, so it never disagrees with polling."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from chassis.auth import Caller
from chassis.errors import Unavailable
from services.generation.domain import Asset, GenerationJob
from services.generation.ports import Announcer, Wakeup, Watchers
from services.generation.usecases import GenerationService

HEARTBEAT = 15.0
"""Seconds after which a stream without news says that it is alive."""
LOOK_AGAIN = 1.0
"""Seconds after which one that could not look at its job looks again."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Nothing changed."""

    revision: int


@dataclass(frozen=True, slots=True)
class Change:
    """The job as it stands now."""

    job: GenerationJob
    assets: Sequence[Asset]


async def watch_job(
    service: GenerationService, watchers: Watchers, caller: Caller, job_id: str, after: int | None
) -> AsyncGenerator[Heartbeat | Change]:
    """The state now, then every change; ends after the terminal one. An unchanged job starts with a heartbeat.

    While a database or storage is away, a stream that has begun says that it is alive and nothing else.

    Raises:
        JobNotFound, NotOwner: before the first event.
        Unavailable: before the first event; or the service is stopping, and the watcher should come again with the last
            revision it saw.
    """
    with watchers.attach(job_id) as wakeup:
        told: int | None = None
        seen, woken = after, False
        while True:
            try:
                job = await service.get_job(caller, job_id)
                is_news = job.revision != seen or job.status.is_terminal
                assets = await service.assets_of(caller, job) if is_news else []
            except Unavailable:
                if told is None:
                    raise
                yield Heartbeat(told)
                await wakeup.wait(LOOK_AGAIN)
                woken = True
                continue
            # Woken without a change: a change is told twice, here and by way of NATS.
            if job.revision == seen and not woken:
                yield Heartbeat(job.revision)
            if is_news:
                yield Change(job, assets)
            if job.status.is_terminal:
                return
            told = seen = job.revision
            woken = await wakeup.wait(HEARTBEAT)


class JobWatchers:
    """Wakes the watchers of this process; one subscription serves them all.

    Implements the ports Watchers, and Announcer for those who change a job in this process: watchers here need no
    round trip, and lose nothing while NATS is away.
    """

    def __init__(self, remote: Announcer) -> None:
        self._remote = remote
        self._waiting: dict[str, set[_Bell]] = defaultdict(set)
        self._closed = False

    @contextmanager
    def attach(self, job_id: str) -> Iterator[Wakeup]:
        """A wakeup that hears every change from here on."""
        bell = _Bell(self)
        self._waiting[job_id].add(bell)
        try:
            yield bell
        finally:
            self._waiting[job_id].discard(bell)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    async def announce(self, job_id: str) -> None:
        """Wakes watchers here, then those of other replicas."""
        self.ring(job_id)
        await self._remote.announce(job_id)

    def ring(self, job_id: str) -> None:
        """Wakes this process's watchers of one job."""
        for bell in self._waiting.get(job_id, ()):
            bell.event.set()

    def ring_all(self) -> None:
        """Wakes everybody, to look for what may have been missed."""
        for bells in self._waiting.values():
            for bell in bells:
                bell.event.set()

    async def close(self) -> None:
        """Ends every stream of this process; their clients come again and find another."""
        self._closed = True
        self.ring_all()

    @property
    def is_idle(self) -> bool:
        """Whether nobody watches."""
        return not self._waiting

    @property
    def is_closed(self) -> bool:
        """Whether this process is stopping."""
        return self._closed


class _Bell:
    def __init__(self, watchers: JobWatchers) -> None:
        self.event = asyncio.Event()
        self._watchers = watchers

    async def wait(self, timeout: float) -> bool:
        try:
            async with asyncio.timeout(0 if self._watchers.is_closed else timeout):
                await self.event.wait()
        except TimeoutError:
            if not self._watchers.is_closed:
                return False
        if self._watchers.is_closed:
            raise Unavailable("the stream is moving to another process; connect again")
        self.event.clear()
        return True
