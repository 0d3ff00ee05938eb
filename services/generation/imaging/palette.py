"""How near a picture's colours come to a brand's: one number, in units of CIEDE2000. ADR-18.

It is the mean of two distances. What is missing: how far each of the brand's colours is from the part of the picture
that comes nearest to it; a primary has to fill more of it than an accent, and counts twice. What is strange: how far
the picture's colours are from the nearest of the brand's, by their area, and as far as they are colours at all:
shadows, stone and skin are in every picture, whatever its brand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

from PIL import Image

from chassis.colors import Lab, delta_e_2000, lab, parse_hex
from services.generation.domain import BrandKitContext

_THIN, _SMALL = (192, 192), (48, 48)
_TINTS = 64
"""How many it is reduced to at the most."""
_PRIMARY_SHARE, _ACCENT_SHARE = 0.05, 0.01
"""Of what is seen: how much a colour of the brand has to fill to be there."""
_PRIMARY_WEIGHT, _ACCENT_WEIGHT = 2, 1
_COLORLESS, _COLORFUL = 10.0, 50.0
_LEAST_STRANGE = 0.2
"""Chroma: up to the first a tint counts so little, from the second on in full."""


@dataclass(frozen=True, slots=True)
class _Tint:
    color: Lab
    share: float
    """Of what is seen of the picture; all together are 1."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    color: Lab
    share: float
    weight: int


def palette_distance(image: Image.Image, brand: BrandKitContext) -> float | None:
    """0 when the picture, RGB or RGBA, has all the brand's colours and no others; tens when it has others.

    To one decimal. None for a picture of which nothing is seen.
    """
    tints = _tints(image)
    if not tints:
        return None
    wanted = _wanted(brand)
    distances = [[delta_e_2000(each.color, tint.color) for tint in tints] for each in wanted]
    return round((_missing(tints, wanted, distances) + _strange(tints, distances)) / 2, 1)


def _missing(tints: Sequence[_Tint], wanted: Sequence[_Wanted], distances: Sequence[Sequence[float]]) -> float:
    total = sum(each.weight * _of_nearest(each.share, tints, row) for each, row in zip(wanted, distances, strict=True))
    return total / sum(each.weight for each in wanted)


def _of_nearest(share: float, tints: Sequence[_Tint], distances: Sequence[float]) -> float:
    """The mean distance of the nearest so much of the picture, however many tints that is."""
    left, total = share, 0.0
    for distance, part in sorted(zip(distances, (tint.share for tint in tints), strict=True)):
        total += distance * min(part, left)
        left -= part
        if left <= 0:
            break
    return total / share


def _strange(tints: Sequence[_Tint], distances: Sequence[Sequence[float]]) -> float:
    nearest: list[float] = [min(column) for column in zip(*distances, strict=True)]
    return sum(tint.share * _colorfulness(tint.color) * far for tint, far in zip(tints, nearest, strict=True))


def _colorfulness(color: Lab) -> float:
    chroma = hypot(color[1], color[2])
    return min(max((chroma - _COLORLESS) / (_COLORFUL - _COLORLESS), _LEAST_STRANGE), 1.0)


def _wanted(brand: BrandKitContext) -> list[_Wanted]:
    return [
        *(_Wanted(lab(parse_hex(color)), _PRIMARY_SHARE, _PRIMARY_WEIGHT) for color in brand.primary_colors),
        *(_Wanted(lab(parse_hex(color)), _ACCENT_SHARE, _ACCENT_WEIGHT) for color in brand.accent_colors),
    ]


def _tints(image: Image.Image) -> list[_Tint]:
    """The tints, each as the mean of its pixels; what is half transparent counts half."""
    # Thinned out first: of two million pixels forty thousand tell as much, in a fraction of the time.
    small = image.resize(_THIN, Image.Resampling.NEAREST).resize(_SMALL, Image.Resampling.BOX).convert("RGBA")
    few = small.quantize(_TINTS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = few.getpalette("RGBA") or []
    counts: Any = few.getcolors()
    seen = [(count * palette[4 * tint + 3], palette[4 * tint : 4 * tint + 3]) for count, tint in counts]
    total = sum(weight for weight, _ in seen)
    return [_Tint(lab((red, green, blue)), weight / total) for weight, (red, green, blue) in seen if weight]
