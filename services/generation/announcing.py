"""Changes to jobs, told across replicas on core NATS; what is lost there, watchers find by looking."""

from __future__ import annotations

from chassis.queue import Queue
from services.generation.watching import JobWatchers

PREFIX = "jobs."


class NatsAnnouncer:
    """The Announcer port over the queue's announcements."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def announce(self, job_id: str) -> None:
        """Never raises for want of a connection."""
        await self._queue.announce(PREFIX + job_id, b"")


async def listen(queue: Queue, watchers: JobWatchers) -> None:
    """One subscription for all watchers of this process."""
    await queue.listen(f"{PREFIX}*", lambda subject, _: watchers.ring(subject.removeprefix(PREFIX)), watchers.ring_all)
