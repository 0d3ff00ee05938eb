"""The provider that draws: from the brand kit and the words alone, with no key and no network."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from services.generation.domain import Picture, RenderRequest
from services.generation.picture_ports import PaidCalls
from services.generation.providers.sketching.drawing import draw, encode


class SketchProvider:
    """Draws every picture itself, and looks at none; the same request and seed give the same bytes."""

    model = "sketch"
    sees_styles = False

    def __init__(self, *, threads: int = 2) -> None:
        """At most `threads` pictures are drawn at once; the rest wait their turn."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="sketch")

    async def render(self, request: RenderRequest, calls: PaidCalls) -> Picture:
        """Draws one picture as a PNG of exactly the asset's size; nothing of it is paid for."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _render, request)


def _render(request: RenderRequest) -> Picture:
    return Picture(encode(draw(request)), "image/png")
