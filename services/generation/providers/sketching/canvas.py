"""The surface a picture is laid on, layer by layer, and the measuring of what lies on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import cast

from PIL import Image, ImageStat

from services.generation.providers.sketching.palette import Color, linear, luminance
from services.generation.providers.sketching.smooth import blurred, enlarged

Box = tuple[int, int, int, int]
"""Left, top, right, bottom; right and bottom are outside."""

_LINEAR = [round(linear(channel) * 255) for channel in range(256)] * 3
_WCAG = (0.2126, 0.7152, 0.0722, 0.0)


@dataclass(frozen=True, slots=True)
class Lettered:
    """Where words were set, and how well they read there."""

    box: Box
    contrast: float


@dataclass(frozen=True, slots=True)
class Canvas:
    """An RGB or RGBA picture in the making."""

    image: Image.Image
    lettered: list[Lettered] = field(default_factory=list)

    @property
    def width(self) -> int:
        """In pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.image.height

    @property
    def unit(self) -> int:
        """The shorter side: what sizes are a share of."""
        return min(self.image.size)

    def lay(self, mask: Image.Image, at: tuple[int, int], fill: Color | Image.Image, opacity: float = 1.0) -> None:
        """Lays a colour, or a picture as large as the mask, through a mask; what falls outside is cut."""
        box = intersection((at[0], at[1], at[0] + mask.width, at[1] + mask.height), (0, 0, self.width, self.height))
        if box is None:
            return
        inner = (box[0] - at[0], box[1] - at[1], box[2] - at[0], box[3] - at[1])
        mask = _thinned(mask.crop(inner), opacity)
        layer = fill.crop(inner) if isinstance(fill, Image.Image) else Image.new("RGB", mask.size, fill)
        if self.image.mode == "RGBA":
            layer.putalpha(mask)
            self.image.alpha_composite(layer, box[:2])
        else:
            self.image.paste(layer, box, mask)

    def cast_shadow(
        self, mask: Image.Image, at: tuple[int, int], color: Color, drop: int, blur: int, opacity: float
    ) -> None:
        """Lays a soft shadow of a mask, `drop` pixels below it."""
        shrink = 4
        pad = math.ceil(2 * blur / shrink)
        tight = mask.reduce(shrink)
        small = Image.new("L", (tight.width + 2 * pad, tight.height + 2 * pad))
        small.paste(tight, (pad, pad))
        whole = (small.width * shrink, small.height * shrink)
        soft = enlarged(blurred(small, blur / shrink / 2), whole, Image.Resampling.BILINEAR)
        self.lay(soft, (at[0] - pad * shrink, at[1] - pad * shrink + drop), color, opacity)

    def part(self, box: Box) -> Image.Image:
        """A copy of what lies in a box, in RGB."""
        return self.image.crop(box).convert("RGB")


def luminance_range(picture: Image.Image) -> tuple[float, float]:
    """The darkest and the brightest WCAG luminance in an RGB picture."""
    least, most = cast(tuple[int, int], picture.point(_LINEAR).convert("L", _WCAG).getextrema())
    # Eight bits are coarse where it is dark: widen by what rounding may have hidden.
    return max(0.0, (least - 1.5) / 255), min(1.0, (most + 1.5) / 255)


def mean_luminance(picture: Image.Image) -> float:
    """The luminance of what an RGB picture looks like from afar."""
    red, green, blue = ImageStat.Stat(picture).mean
    return luminance((round(red), round(green), round(blue)))


def intersection(one: Box, other: Box) -> Box | None:
    """What two boxes share; None when that is nothing."""
    left, top = max(one[0], other[0]), max(one[1], other[1])
    right, bottom = min(one[2], other[2]), min(one[3], other[3])
    return (left, top, right, bottom) if left < right and top < bottom else None


def _thinned(mask: Image.Image, opacity: float) -> Image.Image:
    return mask if opacity >= 1 else Image.blend(Image.new("L", mask.size), mask, opacity)
