"""Crops a picture to the proportions of an asset and brings it to its exact size."""

from __future__ import annotations

from PIL import Image

from services.generation.domain import ASSET_DIMENSIONS, AssetType

FOCUS: dict[AssetType, tuple[float, float]] = {
    # A little too high or too wide at most; the same goes on both sides, so that no headline is cut off on one.
    AssetType.THUMBNAIL: (0.5, 0.5),
    # The frame runs along all four edges, so each pays the same.
    AssetType.OVERLAY: (0.5, 0.5),
    # Everything that matters sits in the centre; the rest was asked for as something to be cropped away.
    AssetType.BANNER: (0.5, 0.5),
    # The subject stands a little above the centre, and the app's own buttons cover the bottom.
    AssetType.STORY_GRAPHIC: (0.5, 0.4),
    # A square shows its subject in the centre.
    AssetType.CLIP_COVER: (0.5, 0.5),
}
"""Of what has to go, which share goes at the left and at the top."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""

REDUCING_GAP = 3
"""How many times larger than needed a picture stays when it is shrunk in whole steps, which is fast, before the last
step, which is exact; from 3 on, the difference cannot be seen."""


def fit(image: Image.Image, asset_type: AssetType) -> Image.Image:
    """Covers the asset's size exactly, losing as little as its proportions allow."""
    size = ASSET_DIMENSIONS[asset_type]
    if image.size == size:
        return image
    box = _cover(image.size, size, FOCUS[asset_type])
    return image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=REDUCING_GAP)


def is_larger(image: Image.Image, asset_type: AssetType) -> bool:
    """Whether the picture has more pixels than the asset."""
    width, height = ASSET_DIMENSIONS[asset_type]
    return image.width * image.height > width * height


def shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The picture, less large in whole steps, and still larger than needed to cover the size."""
    factor = min(image.width // size[0], image.height // size[1]) // REDUCING_GAP
    return image.reduce(factor) if factor > 1 else image


def _cover(have: tuple[int, int], want: tuple[int, int], focus: tuple[float, float]) -> Box:
    scale = min(have[0] / want[0], have[1] / want[1])
    # Rounding must not carry the box over the edge.
    width, height = min(want[0] * scale, have[0]), min(want[1] * scale, have[1])
    left, top = (have[0] - width) * focus[0], (have[1] - height) * focus[1]
    return left, top, min(left + width, have[0]), min(top + height, have[1])
