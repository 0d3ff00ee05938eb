"""What words are set on when they need a ground of their own: one outline per tone."""

from __future__ import annotations

from collections.abc import Callable

from services.generation.providers.sketching.canvas import Box
from services.generation.providers.sketching.shapes import Point, rounded, slanted

Plate = Callable[[Box], list[Point]]


def blade(box: Box) -> list[Point]:
    """Slanted at both ends."""
    lean = (box[3] - box[1]) * 0.34
    return slanted(box[0] - lean / 2, box[1], box[2] - lean / 2, box[3], lean)


def pill(box: Box) -> list[Point]:
    """Round at both ends."""
    return rounded(*box, (box[3] - box[1]) / 2)


def card(box: Box) -> list[Point]:
    """Round at the corners."""
    return rounded(*box, (box[3] - box[1]) * 0.2)


def scrap(box: Box) -> list[Point]:
    """Cut out by hand."""
    left, top, right, bottom = box
    height = bottom - top
    return [
        (left - height * 0.05, top + height * 0.1),
        (right + height * 0.09, top - height * 0.07),
        (right - height * 0.03, bottom + height * 0.02),
        (left + height * 0.07, bottom + height * 0.09),
    ]


def slab(box: Box) -> list[Point]:
    """A plain rectangle."""
    return rounded(*box, 4)
