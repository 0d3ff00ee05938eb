"""Sends items on their way in fair turns, never more at once than the window, and picks up what was left behind."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence, Set
from datetime import datetime, timedelta

from chassis.errors import Unavailable
from chassis.patience import Trouble
from services.generation.domain import Dispatch, Sending
from services.generation.failures import failure
from services.generation.ports import Announcer, Items, Outbox

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between rounds that nobody asked for."""
SILENCE = timedelta(seconds=30)
"""An item not heard of for so long is looked for, and sent again when it is not in the queue."""
UNSENT = timedelta(seconds=10)
"""The same for one that may never have been there: longer than a batch takes to be published."""
OVERDUE_AT_ONCE = 100

Send = Callable[[Dispatch], Awaitable[None]]
"""Puts an item on the first queue; raises Unavailable when that did not surely happen."""
UnderWay = Callable[[], Awaitable[Set[Sending]]]
"""Every sending of which a message is in the queue, at whichever stage; raises Unavailable when that cannot be told."""


class Dispatcher:
    """One a process; across processes the outbox keeps them from overshooting the window."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        items: Items,
        send: Send,
        under_way: UnderWay,
        announcer: Announcer,
        window: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._outbox = outbox
        self._items = items
        self._send = send
        self._under_way = under_way
        self._announcer = announcer
        self._window = window
        self._clock = clock
        self._due = asyncio.Event()
        self._unsent = Trouble(log, "giving items back that cannot be sent")
        self._round = asyncio.Lock()
        self._closed = False

    def wake(self) -> None:
        """Something was committed, or has ended: there may be an item to send."""
        self._due.set()

    async def run(self) -> None:
        """Dispatches when woken, and every second, until it is closed."""
        trouble = Trouble(log, "not dispatching for now")
        while not self._closed:
            await self._wait()
            try:
                await self.dispatch()
                trouble.over()
            except Unavailable as error:
                trouble.tell(error)

    async def reap_for_ever(self) -> None:
        """Every second, deals with what was left behind; ends only by cancellation."""
        trouble = Trouble(log, "not reaping for now")
        while True:
            try:
                await self.reap()
                trouble.over()
            except Unavailable as error:
                trouble.tell(error)
            await asyncio.sleep(EVERY)

    async def close(self) -> None:
        """Takes nothing more; returns when all that was taken is sent or given back."""
        self._closed = True
        self.wake()
        async with self._round:
            return

    async def dispatch(self) -> int:
        """Sends what the window has room for; answers how many."""
        async with self._round:
            if self._closed:
                return 0
            taken = await self._outbox.take(self._window, self._clock())
            sent = await self._send_each(taken)
            if sent < len(taken):
                await self._outbox.give_back(taken[sent:])
            if sent:
                await self._outbox.sent(taken[:sent])
            return sent

    async def _send_each(self, taken: Sequence[Dispatch]) -> int:
        """How many were sent before something kept us from the next."""
        for number, each in enumerate(taken):
            if self._closed:
                return number
            try:
                await self._send(each)
            except Unavailable as error:
                self._unsent.tell(error)
                return number
            self._unsent.over()
        return len(taken)

    async def reap(self) -> None:
        """Ends what is past its time, and puts back what was dispatched and stayed silent."""
        now = self._clock()
        await self._fail(await self._outbox.overdue(now, OVERDUE_AT_ONCE))
        silent = await self._outbox.silent(now - SILENCE, now - UNSENT)
        if silent:
            await self._look_for(silent)

    async def _look_for(self, silent: Sequence[Sending]) -> None:
        """Sends again what the queue has lost; what only waits there is not disturbed.

        An item whose message is passed on from stage to stage meanwhile is not missed: the next message is in the queue
        before the last one is acknowledged, and further back.
        """
        under_way = await self._under_way()
        await self._outbox.heard_of([each for each in silent if each in under_way], self._clock())
        lost = [each for each in silent if each not in under_way]
        if lost:
            log.warning("sending lost items again", extra={"items": len(lost)})
            await self._outbox.give_back(lost)
            self.wake()

    async def _fail(self, overdue: Sequence[tuple[str, int, str]]) -> None:
        for job_id, item, reason in overdue:
            stage = "store" if reason == "STORAGE_ERROR" else "render"
            if await self._items.failed(job_id, item, failure(reason, stage), self._clock()):
                log.warning("past its time", extra={"job_id": job_id, "item": item, "reason": reason})
                await self._announcer.announce(job_id)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(EVERY):
                await self._due.wait()
        except TimeoutError:
            return
        self._due.clear()
