"""Soft pictures: made small, blurred small, and enlarged."""

from __future__ import annotations

from PIL import Image, ImageFilter


def enlarged(small: Image.Image, size: tuple[int, int], resample: Image.Resampling, *, rim: float = 0.0) -> Image.Image:
    """A picture without detail, at a size; three times as fast as resizing it there in one step.

    `rim` pixels are left out all round: with half a pixel, a slope runs to the very edge, without a ledge.
    """
    part = (rim, rim, small.width - rim, small.height - rim)
    # What changes by less than a shade from pixel to pixel looks the same when every pixel is four.
    half = small.resize(((size[0] + 1) // 2, (size[1] + 1) // 2), resample, box=part)
    return half.resize(size, Image.Resampling.NEAREST)


def blurred(mask: Image.Image, radius: float) -> Image.Image:
    """A mask with soft edges; twice, so that neither end of the slope shows."""
    return mask.filter(ImageFilter.BoxBlur(radius)).filter(ImageFilter.BoxBlur(radius))
