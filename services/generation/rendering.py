"""Makes one picture and sees it safely to `renders`; whatever is delivered twice is made once."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from chassis.key_colors import key_color_for
from chassis.patience import Trouble, patiently
from chassis.renders import RenderMissing, Renders
from services.generation.domain import (
    AssetType,
    CallUnderWay,
    Picture,
    Render,
    RenderDeferred,
    RenderFailed,
    RenderRequest,
    RenderVoid,
)
from services.generation.picture_ports import ImageProvider, PaidCalls, Pixels, StyleImages
from services.generation.ports import Announcer, Items
from services.generation.sources import PromptSource
from services.generation.states import Failure
from services.generation.styles import StyleImage

log = logging.getLogger(__name__)
T = TypeVar("T")

KEYED = (
    "The picture has no transparency of its own: wherever this brief asks for transparent or empty space, paint one "
    "flat, uniform, pure {key}, without gradient, shadow, glow or texture, and use that colour nowhere else."
)
"""What an image model is told beside an overlay's prompt that asks for no key colour itself; it would paint a
checkerboard for transparency."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One item whose turn it is, as its message says."""

    request: RenderRequest
    """The seed is the store's to say, the style image storage's."""
    dispatch: int
    user_id: str
    source: PromptSource | None = None
    """What the prompt was written from."""
    style_upload_id: str | None = None
    """The upload that the style image is; None: there is none."""


class Rendering:
    """The generation worker."""

    def __init__(
        self,
        *,
        items: Items,
        provider: ImageProvider,
        styles: StyleImages,
        calls_of: Callable[[str, int], AbstractAsyncContextManager[PaidCalls]],
        pixels: Pixels,
        renders: Renders,
        announcer: Announcer,
        ended: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._items = items
        self._provider = provider
        self._styles = styles
        self._calls_of = calls_of
        self._pixels = pixels
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
        started = await self._items.start(job_id, item, turn.dispatch, turn.request.prompt, self._clock(), turn.source)
        if started is None:
            return None
        await self._announcer.announce(job_id)
        return started.render or await self._make(turn, started.seed)

    async def awaits(self, job_id: str, item: int, dispatch: int) -> bool:
        """Whether an item is still waited for on this way, or was until its time ran out on it."""
        standing = await self._items.standing(job_id, item)
        was_timed_out = standing.failure is not None and standing.failure.reason == "DEADLINE_EXCEEDED"
        return standing.dispatch == dispatch and (not standing.state.is_over or was_timed_out)

    async def fail(self, job_id: str, item: int, failure: Failure, dispatch: int) -> None:
        """Ends an item badly, unless it was sent again since."""
        if await self._items.failed(job_id, item, failure, self._clock(), dispatch=dispatch):
            await self._announcer.announce(job_id)
            self._ended()

    async def store(self, job_id: str, item: int, asset_id: str) -> None:
        """Ends an item well: its asset can be read, so its render need not wait any longer.

        When the item had failed before, its render stays, for a retry that pays nothing.
        """
        if await self._items.stored(job_id, item, asset_id, self._clock()):
            await self._announcer.announce(job_id)
            self._ended()
        render = await self._items.spent_render(job_id, item)
        if render is not None:
            await self._renders.delete(render.key)

    async def _make(self, turn: Turn, seed: int) -> Render | None:
        job_id, item = turn.request.job_id, turn.request.item
        await self._renders.require_room()
        try:
            request = replace(turn.request, seed=seed, style_image=await self._style(turn))
            async with self._calls_of(job_id, item) as calls:
                picture = await self._picture(request, calls)
                return await self._keep(turn, picture)
        except RenderFailed as error:
            failed = error.failure
            await self._surely(job_id, lambda: self.fail(job_id, item, failed, turn.dispatch))
        except RenderDeferred as error:
            deferred = error
            await self._surely(job_id, lambda: self._defer(turn, deferred))
        except RenderVoid:
            log.info("the item ended before it was rendered", extra={"item": item})
        return None

    async def _style(self, turn: Turn) -> StyleImage | None:
        """Before anything is paid: without it the picture would be another one than was asked for."""
        if turn.style_upload_id is None or not self._provider.sees_styles:
            return None
        return await self._styles.fetch(turn.style_upload_id, turn.user_id)

    async def _picture(self, request: RenderRequest, calls: PaidCalls) -> Picture:
        """Of exactly the asset's size, whatever the provider sends."""
        if request.asset_type is AssetType.OVERLAY and not request.key_color:
            key = key_color_for((*request.brand_kit.primary_colors, *request.brand_kit.accent_colors))
            request = replace(request, prompt=f"{request.prompt}\n\n{KEYED.format(key=key)}")
        picture = await self._provider.render(request, calls)
        return await self._pixels.conform(picture.data, request.asset_type, request.brand_kit)

    async def _keep(self, turn: Turn, picture: Picture) -> Render | None:
        job_id, item = turn.request.job_id, turn.request.item
        sha256 = hashlib.sha256(picture.data).hexdigest()
        render = Render(_key(job_id, item, sha256), sha256, picture.content_type, picture.palette_distance)
        await self._surely(job_id, lambda: self._renders.put(render.key, picture.data))
        kept = await self._surely(
            job_id, lambda: self._items.rendered(job_id, item, render, self._clock(), turn.source)
        )
        if kept is None or kept.key != render.key:
            await self._renders.delete(render.key)
        await self._announcer.announce(job_id)
        return kept

    async def _surely(self, job_id: str, write: Callable[[], Awaitable[T]]) -> T:
        """Repeats a write until it has happened: what it remembers may have been paid for.

        Nobody else can be told to make the item meanwhile, for its message is still in our hands; how long it may be
        there, the queue says.
        """
        return await patiently(write, Trouble(log, "keeping what was made", {"job_id": job_id}))

    async def _defer(self, turn: Turn, deferred: RenderDeferred) -> None:
        reason = None if isinstance(deferred, CallUnderWay) else "PROVIDER_RATE_LIMIT"
        until = self._clock() + timedelta(seconds=deferred.seconds)
        log.info(
            "put off", extra={"item": turn.request.item, "seconds": round(deferred.seconds, 1), "why": str(deferred)}
        )
        await self._items.defer(turn.request.job_id, turn.request.item, turn.dispatch, until, reason)


class Copies:
    """The RenderCopies port over `renders`."""

    def __init__(self, renders: Renders) -> None:
        self._renders = renders

    async def copy(self, render: Render, job_id: str, item: int) -> Render | None:
        """A copy, because the first goes when it is a day old; damaged, it is no more than a missing one."""
        copied = replace(render, key=_key(job_id, item, render.sha256))
        try:
            data = await self._renders.get(render.key)
        except RenderMissing:
            return None
        if hashlib.sha256(data).hexdigest() != render.sha256:
            log.error("a picture that waits to be kept is damaged", extra={"job_id": job_id, "item": item})
            return None
        await self._renders.put(copied.key, data)
        return copied

    async def remove(self, render: Render) -> None:
        """Also when it is not there any more."""
        await self._renders.delete(render.key)


def _key(job_id: str, item: int, sha256: str) -> str:
    """Named after its bytes too: two workers with two pictures of one item never overwrite each other's."""
    return f"{job_id}.{item}.{sha256[:16]}"
