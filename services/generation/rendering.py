"""Makes one picture and sees it safely to `renders`; whatever is delivered twice is made once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chassis.renders import Renders
from services.generation.domain import Picture, Render, RenderFailed, RenderRequest
from services.generation.failures import failure
from services.generation.ports import Announcer, ImageProvider, Items
from services.generation.states import Failure


@dataclass(frozen=True, slots=True)
class Turn:
    """One item whose turn it is, as its message says."""

    request: RenderRequest
    """The seed is the store's to say."""
    dispatch: int
    finish_by: datetime


class Rendering:
    """The generation worker."""

    def __init__(
        self,
        *,
        items: Items,
        provider: ImageProvider,
        renders: Renders,
        announcer: Announcer,
        ended: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._items = items
        self._provider = provider
        self._renders = renders
        self._announcer = announcer
        self._ended = ended
        self._clock = clock

    async def render(self, turn: Turn) -> Render | None:
        """Renders an item, or finds what was rendered before; None when there is nothing to store.

        Raises:
            Unavailable: a store does not answer; the same delivery may succeed in a moment.
        """
        job_id, item = turn.request.job_id, turn.request.item
        if self._clock() >= turn.finish_by:
            await self.fail(job_id, item, failure("DEADLINE_EXCEEDED"))
            return None
        started = await self._items.start(job_id, item, turn.dispatch, turn.request.prompt, self._clock())
        if started is None:
            return None
        await self._announcer.announce(job_id)
        if started.render is not None:
            return started.render
        try:
            picture = await self._provider.render(_with_seed(turn.request, started.seed))
        except RenderFailed as error:
            await self.fail(job_id, item, error.failure)
            return None
        return await self._keep(job_id, item, picture)

    async def fail(self, job_id: str, item: int, failure: Failure) -> None:
        """Ends an item badly."""
        if await self._items.failed(job_id, item, failure, self._clock()):
            await self._announcer.announce(job_id)
            self._ended()

    async def store(self, job_id: str, item: int, asset_id: str) -> None:
        """Ends an item well: its asset can be read, so its render need not wait any longer."""
        if await self._items.stored(job_id, item, asset_id, self._clock()):
            await self._announcer.announce(job_id)
            self._ended()
        await self._renders.delete(_key(job_id, item))

    async def _keep(self, job_id: str, item: int, picture: Picture) -> Render | None:
        render = Render(_key(job_id, item), hashlib.sha256(picture.data).hexdigest(), picture.content_type)
        await self._renders.put(render.key, picture.data)
        if not await self._items.rendered(job_id, item, render, self._clock()):
            await self._renders.delete(render.key)
            return None
        await self._announcer.announce(job_id)
        return render


def _key(job_id: str, item: int) -> str:
    return f"{job_id}.{item}"


def _with_seed(request: RenderRequest, seed: int) -> RenderRequest:
    return RenderRequest(
        request.job_id, request.item, request.asset_type, request.prompt, request.words, request.brand_kit, seed
    )
