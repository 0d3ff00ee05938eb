"""What generation needs from the outside, in its own words."""

from __future__ import annotations

from typing import Protocol

from services.generation.domain import Picture, RenderRequest


class ImageProvider(Protocol):
    """Makes pictures."""

    async def render(self, request: RenderRequest) -> Picture:
        """Makes one picture; never blocks the event loop."""
        ...
