"""Makes pixels of bytes, with bounded memory, and lets no decoder's exception through."""

from __future__ import annotations

from contextlib import nullcontext
from io import BytesIO
from threading import Lock
from typing import Any

from PIL import ExifTags, Image

from services.generation.domain import RenderFailed
from services.generation.imaging.fitting import REDUCING_GAP, shrunk
from services.generation.imaging.refusals import refused
from services.generation.imaging.sniffing import Kind, require_bearable

_LARGE_PIXELS = 18_000_000
"""What models send at most: 4K, 5504×3072 (17 megapixels)."""
# What is larger than any model sends is decoded one at a time: a WebP of 50 megapixels takes 0.8 GB while it is.
_ONE_LARGE = Lock()
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_ON_ITS_SIDE = 5
"""From this orientation on, width and height change places."""


def decode(data: bytes, kind: Kind, size: tuple[int, int]) -> Image.Image:
    """The first frame, upright, in mode L, LA, RGB, RGBA or CMYK; with what it says about its colours in `info`.

    It is made smaller on the way when it is much larger than the size it has to cover.

    Raises:
        RenderFailed: it cannot be decoded, or is too large.
    """
    try:
        image: Image.Image = Image.open(BytesIO(data), formats=(kind,))
        require_bearable(*image.size)
        with _ONE_LARGE if image.width * image.height > _LARGE_PIXELS else nullcontext():
            return _upright(image, size)
    except RenderFailed:
        raise
    except Exception as error:
        # Made-up bytes bring a decoder's every error to light.
        raise refused() from error


def _upright(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    orientation = _orientation(image)
    lying = size[::-1] if orientation >= _ON_ITS_SIDE else size
    # A JPEG can be decoded to an eighth of its size, in an eighth of the memory; other kinds ignore this.
    image.draft(None, (lying[0] * REDUCING_GAP, lying[1] * REDUCING_GAP))
    image.load()
    smaller = shrunk(_levelled(image), lying)
    return smaller.transpose(_TURNS[orientation]) if orientation in _TURNS else smaller


def _orientation(image: Image.Image) -> int:
    try:
        orientation: Any = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:
        # Notes that cannot be read say nothing about the picture.
        return 1
    return orientation if orientation in _TURNS else 1


def _levelled(image: Image.Image) -> Image.Image:
    """In a mode whose pixels can be averaged."""
    if image.mode.startswith("I"):
        image.info.pop("transparency", None)
        return image.point(lambda level: level * (1 / 257)).convert("L")
    if image.mode in ("P", "PA") or "transparency" in image.info:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image.convert("L") if image.mode == "1" else image
