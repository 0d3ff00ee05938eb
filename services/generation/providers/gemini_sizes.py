"""What sizes the Gemini image models make, and which of them suits an asset best.

The models make no other sizes than these, and none of the platforms'; what is too big or too wide is scaled and cropped
later. The table is Google's; the extreme ratios (1:4, 1:8 and their like) are left out, for no asset is near them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ONE_K = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
}
"""Width and height by aspect ratio; what is called 2K and 4K is twice and four times that in each direction."""
ONE_K_OF_2_5 = {
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:2": (1248, 832),
    "3:4": (864, 1184),
    "4:3": (1184, 864),
    "4:5": (896, 1152),
    "5:4": (1152, 896),
    "9:16": (768, 1344),
    "16:9": (1344, 768),
    "21:9": (1536, 672),
}


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What a model is told about the size of its picture."""

    aspect_ratio: str
    image_size: str | None
    """1K, 2K or 4K; None for a model that makes one size and refuses to be told."""


@dataclass(frozen=True, slots=True)
class ModelFamily:
    """Models that make the same sizes."""

    prefix: str
    """Of their ids."""
    sizes: Mapping[ImageConfig, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Fit:
    """What becomes of a picture until it covers an asset."""

    upscale: float
    """Factor by which it has to be enlarged; 1 when it is big enough."""
    crop: float
    """Share of its area that is cut off."""


def _scaled(table: Mapping[str, tuple[int, int]]) -> dict[ImageConfig, tuple[int, int]]:
    factors = {"1K": 1, "2K": 2, "4K": 4}
    return {
        ImageConfig(ratio, name): (width * factor, height * factor)
        for name, factor in factors.items()
        for ratio, (width, height) in table.items()
    }


FAMILIES = (
    ModelFamily("gemini-2.5-flash-image", {ImageConfig(ratio, None): size for ratio, size in ONE_K_OF_2_5.items()}),
    ModelFamily("", _scaled(ONE_K)),
)
"""The first that fits counts; the last fits every model, for new ones keep the sizes of the latest."""


def family_of(model: str) -> ModelFamily:
    """The sizes that a model makes."""
    return next(family for family in FAMILIES if model.startswith(family.prefix))


def fit(picture: tuple[int, int], asset: tuple[int, int]) -> Fit:
    """How a picture has to be treated to cover an asset."""
    scale = max(asset[0] / picture[0], asset[1] / picture[1])
    kept = asset[0] * asset[1] / (picture[0] * picture[1] * scale**2)
    return Fit(round(max(1.0, scale), 4), round(1 - kept, 4))


def best_config(model: str, asset: tuple[int, int]) -> ImageConfig:
    """The least enlarged, then the least cropped, then the smallest: 1K and 2K cost the same, and small is quick."""
    sizes = family_of(model).sizes

    def by_loss(config: ImageConfig) -> tuple[float, float, int]:
        width, height = sizes[config]
        loss = fit((width, height), asset)
        return loss.upscale, loss.crop, width * height

    return min(sizes, key=by_loss)
