"""How far apart two colours are to the eye: sRGB to CIELAB, and the CIEDE2000 difference.

Plain arithmetic on single colours. The formula is that of Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference
Formula" (2005); the pairs they published with it are its test.
"""

from __future__ import annotations

from math import atan2, cos, degrees, exp, hypot, radians, sin, sqrt

Rgb = tuple[int, int, int]
"""sRGB, each channel from 0 to 255."""
Lab = tuple[float, float, float]
"""CIELAB under D65: lightness from 0 to 100, then a (green to red) and b (blue to yellow)."""

_WHITE = (0.95047, 1.0, 1.08883)
_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
_FAR = 25.0**7


def parse_hex(color: str) -> Rgb:
    """`#RRGGBB` as levels from 0 to 255."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue


def lab(rgb: Rgb) -> Lab:
    """The CIELAB coordinates of an sRGB colour."""
    linear = [_linear(level / 255) for level in rgb]
    xyz = [sum(part * level for part, level in zip(row, linear, strict=True)) for row in _TO_XYZ]
    x, y, z = (_cube_root(value / white) for value, white in zip(xyz, _WHITE, strict=True))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def delta_e_2000(lab1: Lab, lab2: Lab) -> float:
    """The CIEDE2000 difference: 0 for the same colour, about 1 where it begins to be seen, 100 from black to white."""
    (l1, c1, h1), (l2, c2, h2) = _adjusted(lab1, lab2)
    dl, dc, dh = l2 - l1, c2 - c1, _hue_difference(c1, h1, c2, h2)
    lightness, chroma, hue = (l1 + l2) / 2, (c1 + c2) / 2, _mean_hue(c1, h1, c2, h2)
    t = 1 - 0.17 * _cos(hue - 30) + 0.24 * _cos(2 * hue) + 0.32 * _cos(3 * hue + 6) - 0.20 * _cos(4 * hue - 63)
    off_middle = (lightness - 50) ** 2
    sl = 1 + 0.015 * off_middle / sqrt(20 + off_middle)
    sc, sh = 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    rotation = -2 * _saturation(chroma) * sin(radians(60 * exp(-(((hue - 275) / 25) ** 2))))
    lightness_term, chroma_term, hue_term = dl / sl, dc / sc, dh / sh
    return sqrt(lightness_term**2 + chroma_term**2 + hue_term**2 + rotation * chroma_term * hue_term)


def _adjusted(lab1: Lab, lab2: Lab) -> tuple[Lab, Lab]:
    """Both as lightness, chroma and hue in degrees, with a stretched where chroma is low."""
    mean = (hypot(lab1[1], lab1[2]) + hypot(lab2[1], lab2[2])) / 2
    stretch = 1.5 - 0.5 * _saturation(mean)
    return _polar(lab1, stretch), _polar(lab2, stretch)


def _polar(color: Lab, stretch: float) -> Lab:
    lightness, a, b = color[0], color[1] * stretch, color[2]
    return lightness, hypot(a, b), degrees(atan2(b, a)) % 360


def _hue_difference(c1: float, h1: float, c2: float, h2: float) -> float:
    turn = h2 - h1 if c1 * c2 else 0.0
    if turn > 180:
        turn -= 360
    elif turn < -180:
        turn += 360
    return 2 * sqrt(c1 * c2) * sin(radians(turn / 2))


def _mean_hue(c1: float, h1: float, c2: float, h2: float) -> float:
    total = h1 + h2
    if not c1 * c2:
        return total
    if abs(h1 - h2) > 180:
        total += 360 if total < 360 else -360
    return total / 2


def _saturation(chroma: float) -> float:
    return sqrt(chroma**7 / (chroma**7 + _FAR))


def _cos(angle: float) -> float:
    return cos(radians(angle))


def _linear(level: float) -> float:
    return level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4


def _cube_root(value: float) -> float:
    return value ** (1 / 3) if value > 216 / 24389 else (24389 / 27 * value + 16) / 116
