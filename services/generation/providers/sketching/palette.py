"""Colour arithmetic, WCAG contrast, and the roles a brand kit's colours play in a picture."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from services.generation.domain import BrandKitContext

Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)
LEGIBLE = 4.5
"""WCAG AA for text."""


@dataclass(frozen=True, slots=True)
class Palette:
    """A brand kit's colours by what they are used for."""

    primary: Color
    second: Color
    accent: Color
    spark: Color
    """For small, loud details."""
    shade: Color
    """The primary after dark: what is laid over a picture to make light words readable."""
    deep: Color
    """Nearly black, with a hint of the kit."""
    pale: Color
    """Nearly white, with a hint of the kit."""


def parse(text: str) -> Color:
    """Reads `#RRGGBB`."""
    value = int(text.removeprefix("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255


def linear(channel: int) -> float:
    """One sRGB channel, 0 to 255, as light, 0 to 1."""
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


@lru_cache(maxsize=1024)
def luminance(color: Color) -> float:
    """How bright WCAG says a colour is, 0 to 1."""
    red, green, blue = (linear(channel) for channel in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: float, other: float) -> float:
    """The WCAG contrast, 1 to 21, of two luminances."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def mix(one: Color, other: Color, share: float) -> Color:
    """`share` of `other` in `one`; 0 leaves `one` as it is."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def toned(color: Color, lightness: float, saturation: float = 1.0) -> Color:
    """The same hue at this lightness, no more saturated than `saturation`."""
    hue, _, had = colorsys.rgb_to_hls(*(channel / 255 for channel in color))
    return _from_hls(hue, lightness, min(had, saturation))


def turned(color: Color, degrees: float) -> Color:
    """The same colour, further round the wheel."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(channel / 255 for channel in color))
    return _from_hls((hue + degrees / 360) % 1, lightness, saturation)


def readable(color: Color, darkest: float, brightest: float, margin: float = 1.0) -> Color | None:
    """`color`, moved towards black or white until it reads on all between two luminances; None when it cannot."""
    for step in range(21):
        for pole in (WHITE, BLACK) if luminance(color) > brightest else (BLACK, WHITE):
            moved = mix(color, pole, step / 20)
            if worst_contrast(moved, darkest, brightest) >= LEGIBLE * margin:
                return moved
    return None


def worst_contrast(color: Color, darkest: float, brightest: float) -> float:
    """The least contrast of a colour with anything between two luminances."""
    own = luminance(color)
    if darkest <= own <= brightest:
        return 1.0
    return min(contrast(own, darkest), contrast(own, brightest))


def glowing(palette: Palette, ground: Color, ratio: float = LEGIBLE) -> Color:
    """The kit's first colour, accents before primaries, that stands out from a ground; the pale one when none does."""
    on = luminance(ground)
    colors = (palette.accent, palette.primary, palette.second, palette.spark)
    return next((color for color in colors if contrast(luminance(color), on) >= ratio), palette.pale)


def ink_on(color: Color, palette: Palette) -> Color:
    """Light or dark, whichever reads better on a colour."""
    on = luminance(color)
    return max((palette.pale, palette.deep), key=lambda ink: contrast(luminance(ink), on))


def plate_color(palette: Palette) -> Color:
    """The accent, darkened or lightened until words can be set on a plate of it."""
    pole = palette.deep if luminance(palette.accent) < 0.2 else palette.pale
    shades = (mix(palette.accent, pole, step / 20) for step in range(21))
    return next(shade for shade in shades if _bears(shade, palette))


def palette_of(kit: BrandKitContext, rng: Random) -> Palette:
    """Gives every role a colour, however few colours the kit has; which of two leads is a matter of chance."""
    primaries = [parse(text) for text in kit.primary_colors]
    accents = [parse(text) for text in kit.accent_colors]
    # The first is the kit's own favourite: it leads more often than not.
    for colors in (primaries, accents):
        if rng.random() < 0.35:
            colors[:2] = reversed(colors[:2])
    primary = primaries[0]
    second = primaries[1] if len(primaries) > 1 else _neighbour(primary)
    accent = accents[0] if accents else _most_unlike(primary, [*primaries[1:], _relief(primary)])
    spark = accents[1] if len(accents) > 1 else _tint(accent, primary)
    darkest = min([*primaries, *accents], key=luminance)
    return Palette(
        primary=primary,
        second=second,
        accent=accent,
        spark=spark,
        shade=toned(primary, 0.13, 0.85),
        deep=toned(darkest, 0.075, 0.5),
        pale=mix(primary, WHITE, 0.92),
    )


def _bears(color: Color, palette: Palette) -> bool:
    on = luminance(color)
    return max(contrast(luminance(ink), on) for ink in (palette.pale, palette.deep)) >= LEGIBLE * 1.15


def _from_hls(hue: float, lightness: float, saturation: float) -> Color:
    red, green, blue = (round(channel * 255) for channel in colorsys.hls_to_rgb(hue, lightness, saturation))
    return red, green, blue


def _neighbour(color: Color) -> Color:
    """A companion for a kit with one primary: near in hue, apart in depth."""
    hue = colorsys.rgb_to_hls(*(channel / 255 for channel in color))[0] * 360
    # Yellow's other neighbour is a sickly green.
    beside = turned(color, -26 if 30 < hue < 95 else 28)
    return mix(beside, BLACK if luminance(color) > 0.25 else WHITE, 0.25)


def _relief(color: Color) -> Color:
    """The same hue where it stands out from itself."""
    return toned(color, 0.84 if luminance(color) < 0.4 else 0.22)


def _tint(color: Color, otherwise: Color) -> Color:
    return mix(color, WHITE, 0.55) if luminance(color) < 0.8 else otherwise


def _most_unlike(color: Color, candidates: list[Color]) -> Color:
    on = luminance(color)
    return max(candidates, key=lambda candidate: contrast(luminance(candidate), on))
