"""What generation talks about: asset types, jobs, their states, and how they may fail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class AssetType(StrEnum):
    """What a streamer can ask for."""

    THUMBNAIL = "thumbnail"
    OVERLAY = "overlay"
    BANNER = "banner"
    STORY_GRAPHIC = "story_graphic"
    CLIP_COVER = "clip_cover"


ASSET_DIMENSIONS: dict[AssetType, tuple[int, int]] = {
    AssetType.THUMBNAIL: (1280, 720),
    AssetType.OVERLAY: (1920, 1080),
    AssetType.BANNER: (1200, 480),
    AssetType.STORY_GRAPHIC: (1080, 1920),
    AssetType.CLIP_COVER: (1080, 1080),
}
"""Width and height in pixels, exactly."""


@dataclass(frozen=True, slots=True)
class BrandKitContext:
    """The part of a brand kit that a picture is made from."""

    primary_colors: tuple[str, ...]
    """One to five `#RRGGBB`, upper case."""
    accent_colors: tuple[str, ...]
    """None to three `#RRGGBB`, upper case."""
    headline_font: str
    body_font: str
    tone: str
    style_reference: str = ""


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """One picture to be made."""

    job_id: str
    item: int
    """Which variation of the job this is, from 0."""
    asset_type: AssetType
    prompt: str
    """The complete prompt, for a provider that reads."""
    words: str
    """The streamer's own words, sanitised; empty when they typed none."""
    brand_kit: BrandKitContext
    seed: int
    """Same request and same seed: the same picture, as far as the provider can promise it."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the asset asked for."""
        return ASSET_DIMENSIONS[self.asset_type]


@dataclass(frozen=True, slots=True)
class Picture:
    """Encoded image bytes as a provider returned them; not yet trusted."""

    data: bytes
    content_type: str
