"""Colours by name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import inf

from chassis.colors import delta_e_2000, lab, parse_hex
from services.prompt.brand_words.color_names import COLOR_NAMES

_TABLE = tuple((name, lab(parse_hex(color))) for name, color in COLOR_NAMES.items())
_STEEPEST = 1.75
"""CIEDE2000 never takes a difference in lightness for less than this part of it."""


def palette(colors: Iterable[str]) -> str:
    """`#RRGGBB` colours, each by its name and as it was given: `crimson (#DC143C), black (#000000)`."""
    return ", ".join(f"{nearest_name(color)} ({color})" for color in colors)


@lru_cache(maxsize=4096)
def nearest_name(color: str) -> str:
    """The name of the known colour that looks most like it, by CIEDE2000."""
    point = lab(parse_hex(color))
    nearest, least = "", inf
    for name, known in sorted(_TABLE, key=lambda entry: abs(entry[1][0] - point[0])):
        if abs(known[0] - point[0]) > least * _STEEPEST:
            break
        difference = delta_e_2000(point, known)
        if difference < least:
            nearest, least = name, difference
    return nearest
