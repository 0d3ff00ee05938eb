"""What making a picture needs from the outside."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.generation.domain import AssetType, BrandKitContext, Picture, RenderRequest
from services.generation.styles import StyleImage


class Attempt(Protocol):
    """One paid call. Whoever makes it says how it ended; nothing said means that it may have been billed."""

    def unpaid(self) -> None:
        """It is known that nothing was billed."""
        ...

    def paid(self) -> None:
        """It was served."""
        ...


class PaidCalls(Protocol):
    """The paid calls of one item, remembered across redelivery, crash and pause."""

    def attempt(self) -> AbstractAsyncContextManager[Attempt]:
        """Opens an attempt: a provider makes each call that may be billed inside one, and no other.

        Must have written the attempt down before the block begins. Must raise, before it begins:
        RenderVoid when the item has ended; RenderFailed (OUTCOME_UNKNOWN) when two of its calls may have been
        billed; CallUnderWay while another worker's may be running; RenderDeferred while the model's gate is closed.
        """
        ...

    async def close_gate(self, seconds: float) -> None:
        """Nobody calls this model for so long, over all workers of all replicas."""
        ...


class ImageProvider(Protocol):
    """Makes pictures."""

    @property
    def model(self) -> str:
        """What answers, and is counted and held back by that name; for example `sketch`."""
        ...

    @property
    def sees_styles(self) -> bool:
        """Whether it looks at a request's style image; for one that does not, nobody fetches it."""
        ...

    async def render(self, request: RenderRequest, calls: PaidCalls) -> Picture:
        """Makes one picture; never blocks the event loop.

        Must raise RenderFailed with a reason when it cannot, RenderDeferred when it cannot now.
        """
        ...


class StyleImages(Protocol):
    """Where pictures are that streamers brought, to borrow the style from."""

    async def fetch(self, upload_id: str, user_id: str) -> StyleImage:
        """Must raise RenderFailed (UPLOAD_NOT_FOUND) unless that user has it, Unavailable when it cannot tell."""
        ...


class Pixels(Protocol):
    """Makes a picture right: its size, its mode, its weight. And says how near it came to the brand's colours."""

    async def conform(self, data: bytes, asset_type: AssetType, brand: BrandKitContext) -> Picture:
        """Must raise RenderFailed (INVALID_IMAGE) for what cannot be used; never blocks the event loop.

        An overlay without transparency of its own has a flat key colour in its place, one of `key_color_for`.
        """
        ...
