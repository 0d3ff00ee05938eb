"""Requests for sketches: valid unless the test says otherwise."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from services.generation.domain import AssetType, BrandKitContext, RenderRequest
from services.generation.picture_ports import Attempt

TONES = ("competitive", "casual", "educational", "comedic", "professional")


def a_kit(**changes: Any) -> BrandKitContext:
    """Two primaries, an accent, and a tone that shouts."""
    values: dict[str, Any] = {
        "primary_colors": ("#FF0055", "#1A1A2E"), "accent_colors": ("#00E5FF",),
        "headline_font": "Montserrat", "body_font": "Inter", "tone": "competitive",
    }  # fmt: skip
    return BrandKitContext(**{**values, **changes})


def a_request(
    asset_type: AssetType = AssetType.THUMBNAIL, words: str = "Ranked grind", **changes: Any
) -> RenderRequest:
    """The first picture of a job."""
    values: dict[str, Any] = {
        "job_id": "job-1", "item": 0, "asset_type": asset_type, "prompt": "A picture.", "words": words,
        "brand_kit": a_kit(), "seed": 7,
    }  # fmt: skip
    return RenderRequest(**{**values, **changes})


class NothingToPay:
    """The paid calls of an item that must not cost anything."""

    def attempt(self) -> AbstractAsyncContextManager[Attempt]:
        """Refuses."""
        raise AssertionError("a paid call was opened")

    async def close_gate(self, seconds: float) -> None:
        """Refuses."""
        raise AssertionError("the model's gate was closed")
