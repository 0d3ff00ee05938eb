"""Grounds: soft gradients, grown from a handful of pixels."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from PIL import Image

from services.generation.providers.sketching.palette import (
    BLACK,
    WHITE,
    Color,
    Palette,
    contrast,
    luminance,
    mix,
    toned,
)
from services.generation.providers.sketching.smooth import enlarged

Size = tuple[int, int]
Spot = tuple[float, float]
"""A place as shares of width and height."""

Ground = Callable[[Size, Palette, Random, Spot], Image.Image]
"""Fills a size with the kit's colours, gathered round a focus."""

_COLUMNS, _ROWS = 7, 5


def slope(size: Size, start: Color, end: Color) -> Image.Image:
    """A gradient from the upper left corner to the lower right."""
    seed = Image.new("RGB", (2, 2))
    seed.putdata([start, mix(start, end, 0.5), mix(start, end, 0.5), end])
    return enlarged(seed, size, Image.Resampling.BILINEAR, rim=0.5)


def deep_ground(size: Size, palette: Palette, rng: Random, focus: Spot) -> Image.Image:
    """Dark, with the kit's primary glowing where the eye should go."""
    base, edge = palette.deep, mix(palette.deep, BLACK, 0.45)
    far = (1 - focus[0] + rng.uniform(-0.15, 0.15), rng.choice((0.0, 1.0)))
    near = toned(palette.primary, 0.4, 0.95)
    away = toned(palette.second, 0.3, 0.85)

    def color_at(spot: Spot) -> Color:
        color = mix(base, edge, _distance(spot, (0.5, 0.5)))
        color = mix(color, away, 0.5 * _glow(spot, far, 0.55))
        return mix(color, near, 0.85 * _glow(spot, focus, 0.62))

    return _grown(size, color_at)


def vivid_ground(size: Size, palette: Palette, rng: Random, focus: Spot) -> Image.Image:
    """The kit's primaries at full strength, lighter towards the focus."""
    angle = rng.uniform(0, math.tau)
    shade = toned(palette.primary, 0.2, 0.9)
    # Halfway between a strong colour and a pale one lies mud.
    kin = contrast(luminance(palette.primary), luminance(palette.second)) < 2.4
    end = palette.second if kin else mix(palette.primary, palette.second, 0.22)

    def color_at(spot: Spot) -> Color:
        along = 0.5 + (spot[0] - 0.5) * math.cos(angle) + (spot[1] - 0.5) * math.sin(angle)
        color = mix(palette.primary, end, min(1.0, max(0.0, along)))
        color = mix(color, shade, 0.75 * min(1.0, _distance(spot, focus) ** 1.3))
        return mix(color, WHITE, 0.22 * _glow(spot, focus, 0.5))

    return _grown(size, color_at)


def pale_ground(size: Size, palette: Palette, rng: Random, focus: Spot) -> Image.Image:
    """Paper, tinted by the kit."""
    tint = mix(palette.primary, WHITE, 0.62)
    other = mix(palette.second, WHITE, 0.74)
    corner = (rng.choice((0.0, 1.0)), rng.choice((0.0, 1.0)))

    def color_at(spot: Spot) -> Color:
        color = mix(palette.pale, other, 0.6 * _glow(spot, corner, 0.6))
        return mix(color, tint, 0.9 * _glow(spot, focus, 0.5))

    return _grown(size, color_at)


def _grown(size: Size, color_at: Callable[[Spot], Color]) -> Image.Image:
    seed = Image.new("RGB", (_COLUMNS, _ROWS))
    seed.putdata(
        [color_at((column / (_COLUMNS - 1), row / (_ROWS - 1))) for row in range(_ROWS) for column in range(_COLUMNS)]
    )
    return enlarged(seed, size, Image.Resampling.BICUBIC, rim=0.5)


def _distance(one: Spot, other: Spot) -> float:
    return math.hypot(one[0] - other[0], one[1] - other[1])


def _glow(spot: Spot, center: Spot, reach: float) -> float:
    return math.exp(-((_distance(spot, center) / reach) ** 2) * 1.6)
