"""What every part of a sketch needs at hand."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from services.generation.providers.sketching.canvas import Canvas
from services.generation.providers.sketching.palette import Color, Palette
from services.generation.providers.sketching.shapes import Point


@dataclass(frozen=True, slots=True)
class Scene:
    """A canvas, the colours to use on it, and the dice."""

    canvas: Canvas
    palette: Palette
    rng: Random


@dataclass(frozen=True, slots=True)
class Seat:
    """Where on a badge there is room for an icon."""

    center: Point
    radius: float
    ink: Color
    """What reads well there."""
    turn: float = 0.0
    """In degrees, clockwise."""
