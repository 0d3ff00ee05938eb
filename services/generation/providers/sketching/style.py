"""How each tone looks and speaks."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.generation.domain import BrandKitContext
from services.generation.providers.sketching import badges, icons, motifs, plates
from services.generation.providers.sketching.backdrop import Ground, deep_ground, pale_ground, vivid_ground
from services.generation.providers.sketching.canvas import Box
from services.generation.providers.sketching.faces import (
    GEOMETRIC,
    ROUND,
    SLANTED,
    TEXT,
    Face,
    choose_face,
    drawable,
)
from services.generation.providers.sketching.icons import Icon
from services.generation.providers.sketching.inscribe import Relief
from services.generation.providers.sketching.plates import Plate
from services.generation.providers.sketching.scene import Scene, Seat
from services.generation.providers.sketching.shapes import Point


@dataclass(frozen=True, slots=True)
class Style:
    """One tone's choices."""

    ground: Ground
    motif: Callable[[Scene, Point, Box | None], None]
    badge: Callable[[Scene, Point, float], Seat]
    plate: Plate
    icons: tuple[Icon, ...]
    face: Face
    relief: Relief
    capitals: bool = False
    spread: float = 1.0
    """How much lines may differ in size to fill their width."""


@dataclass(frozen=True, slots=True)
class Speech:
    """What is to be written, in letters that can be drawn; both empty when nothing can."""

    face: Face
    headline: str
    strap: str
    """A second thought, set small."""


STYLES: dict[str, Style] = {
    "competitive": Style(
        ground=deep_ground,
        motif=motifs.shards,
        badge=badges.hexagon,
        plate=plates.blade,
        icons=(icons.bolt, icons.crown, icons.trophy, icons.crosshair),
        face=SLANTED,
        relief=Relief.CARVED,
        capitals=True,
        spread=1.7,
    ),
    "casual": Style(
        ground=vivid_ground,
        motif=motifs.pebbles,
        badge=badges.pebble,
        plate=plates.pill,
        icons=(icons.controller, icons.heart, icons.smile, icons.play),
        face=ROUND,
        relief=Relief.SOFT,
        spread=1.25,
    ),
    "educational": Style(
        ground=pale_ground,
        motif=motifs.squared_paper,
        badge=badges.cards,
        plate=plates.card,
        icons=(icons.bulb, icons.chart, icons.check, icons.play),
        face=GEOMETRIC,
        relief=Relief.MARKED,
    ),
    "comedic": Style(
        ground=vivid_ground,
        motif=motifs.sunburst,
        badge=badges.bang,
        plate=plates.scrap,
        icons=(icons.laugh, icons.sparkle, icons.bolt, icons.smile),
        face=ROUND,
        relief=Relief.OUTLINED,
        capitals=True,
        spread=1.7,
    ),
    "professional": Style(
        ground=deep_ground,
        motif=motifs.contours,
        badge=badges.medal,
        plate=plates.slab,
        icons=(icons.play, icons.chart, icons.microphone, icons.sparkle),
        face=GEOMETRIC,
        relief=Relief.SOFT,
    ),
}

_BREAK = re.compile(r"(?<=\w[.!?])\s+|\s*[|•·:;]\s+|\s+[-–—]\s+")
_HEADLINE = range(3, 49)
"""Lengths at which what comes before a break can stand alone."""


def style_of(kit: BrandKitContext) -> Style:
    """The kit's tone as a style; professional, the tone of a kit that names none, for an unknown one."""
    return STYLES.get(kit.tone.strip().casefold(), STYLES["professional"])


def speech_of(kit: BrandKitContext, words: str) -> Speech:
    """The words in the kit's voice."""
    style = style_of(kit)
    cased = words.upper() if style.capitals else words
    face = choose_face(kit.headline_font, style.face, cased)
    said = drawable(face, cased)
    parts = _BREAK.split(said, maxsplit=1)
    if len(parts) == 2 and len(parts[0]) in _HEADLINE and len(parts[1]) > 2:
        return Speech(face, parts[0], drawable(TEXT, parts[1]))
    return Speech(face, said, "")
