"""Flat colours that stand for nothing, since image models paint no transparency.

Whoever asks for a picture chooses one of them, and whoever cuts it out of the picture knows them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from chassis.colors import Rgb, parse_hex

KEY_COLOR = "#FF00FF"
"""What the middle of an overlay is to be filled with, unless the brand's own colours are near it."""
KEYS = {KEY_COLOR: 0.0, "#00FF00": 0.0, "#0000FF": 0.2, "#00FFFF": 0.2, "#FFFF00": 0.2}
"""In order of preference; and the harm to expect of each, since models like to paint with the latter."""

_HARM_OF_OPPOSITES = 0.1


def key_color_for(colors: Sequence[str]) -> str:
    """The key, as `#RRGGBB`, that can best be told from all these colours."""
    return min(KEYS, key=lambda key: KEYS[key] + max((_harm(parse_hex(color), key) for color in colors), default=0.0))


def likeness(color: Rgb, key: str) -> float:
    """1 for the key itself, 0 for greys and neighbours in hue, -1 for the opposite hue."""
    lit = is_lit(key)
    strong = min(level for level, on in zip(color, lit, strict=True) if on)
    weak = max(level for level, on in zip(color, lit, strict=True) if not on)
    return (strong - weak) / 255


def is_lit(key: str) -> tuple[bool, ...]:
    """Which of red, green and blue make up the key."""
    return tuple(level > 127 for level in parse_hex(key))


def _harm(color: Rgb, key: str) -> float:
    # What is like the key turns to glass; what is opposite to it keeps its shape and loses hue in its glow only.
    like = likeness(color, key)
    return like if like > 0 else -like * _HARM_OF_OPPOSITES
