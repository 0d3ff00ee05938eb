"""Shapes with smooth edges: drawn large, then reduced."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from PIL import Image, ImageDraw

from services.generation.providers.sketching.backdrop import slope
from services.generation.providers.sketching.canvas import Box, Canvas, intersection
from services.generation.providers.sketching.palette import Color
from services.generation.providers.sketching.shapes import Point

_SAMPLES = ((40_000, 4), (300_000, 3))
"""How many samples a side a pixel gets, by how many pixels there are; two when there are more."""

Stroke = Callable[[ImageDraw.ImageDraw, Point, int], None]
"""Draws one shape on a picture that starts at a point of the canvas and is so many times as large."""


class Stencil:
    """A mask made of shapes, laid on a canvas in one go; it covers no more of it than they do."""

    def __init__(self, canvas: Canvas, origin: Point = (0, 0), *, unit: float = 1.0, turn: float = 0.0) -> None:
        """Points are given in `unit` pixels from `origin`, turned clockwise by `turn` degrees."""
        self._canvas, self._origin, self._unit = canvas, origin, unit
        self._cos, self._sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
        self._strokes: list[Stroke] = []
        self._left, self._top, self._right, self._bottom = math.inf, math.inf, -math.inf, -math.inf

    def polygon(self, points: Sequence[Point], *, cut: bool = False) -> Stencil:
        """Adds a filled polygon, or cuts it out."""
        placed = [self._place(point) for point in points]
        return self._add(partial(_polygon, placed, _ink(cut)), placed, 0)

    def disc(self, center: Point, radius: float, *, cut: bool = False) -> Stencil:
        """Adds a filled circle, or cuts it out."""
        placed, reach = self._place(center), radius * self._unit
        return self._add(partial(_disc, placed, reach, _ink(cut)), [placed], reach)

    def ring(self, center: Point, radius: float, width: float, start: float = 0, end: float = 360) -> Stencil:
        """Adds an arc from `start` to `end` degrees, clockwise from three o'clock; its outer edge is at `radius`."""
        placed, reach = self._place(center), radius * self._unit
        return self._add(partial(_arc, placed, reach, width * self._unit, start, end), [placed], reach)

    def line(self, points: Sequence[Point], width: float, *, cut: bool = False) -> Stencil:
        """Adds a line with round corners and ends, or cuts it out."""
        placed, thick = [self._place(point) for point in points], width * self._unit
        return self._add(partial(_line, placed, thick, _ink(cut)), placed, thick / 2)

    def shadow(self, color: Color, *, drop: int, blur: int, opacity: float) -> Stencil:
        """Casts a soft shadow of what was added so far."""
        if (box := self._box()) is not None:
            self._canvas.cast_shadow(self._mask(box), box[:2], color, drop, blur, opacity)
        return self

    def lay(self, fill: Color, *, to: Color | None = None, opacity: float = 1.0) -> None:
        """Lays a colour, or a gradient from it to another, on the canvas."""
        if (box := self._box()) is not None:
            mask = self._mask(box)
            self._canvas.lay(mask, box[:2], fill if to is None else slope(mask.size, fill, to), opacity)

    def _box(self) -> Box | None:
        """The part of the canvas the shapes cover; None when they cover none of it."""
        if self._right < self._left:
            return None
        reach = (
            math.floor(self._left) - 1,
            math.floor(self._top) - 1,
            math.ceil(self._right) + 1,
            math.ceil(self._bottom) + 1,
        )
        return intersection(reach, (0, 0, self._canvas.width, self._canvas.height))

    def _mask(self, box: Box) -> Image.Image:
        width, height = box[2] - box[0], box[3] - box[1]
        samples = next((count for area, count in _SAMPLES if width * height <= area), 2)
        large = Image.new("L", (width * samples, height * samples))
        pen = ImageDraw.Draw(large)
        for stroke in self._strokes:
            stroke(pen, box[:2], samples)
        return large.reduce(samples)

    def _add(self, stroke: Stroke, placed: Sequence[Point], reach: float) -> Stencil:
        self._strokes.append(stroke)
        self._left = min(self._left, *(x - reach for x, _ in placed))
        self._top = min(self._top, *(y - reach for _, y in placed))
        self._right = max(self._right, *(x + reach for x, _ in placed))
        self._bottom = max(self._bottom, *(y + reach for _, y in placed))
        return self

    def _place(self, point: Point) -> Point:
        x, y = point[0] * self._unit, point[1] * self._unit
        return self._origin[0] + x * self._cos - y * self._sin, self._origin[1] + x * self._sin + y * self._cos


def _ink(cut: bool) -> int:
    return 0 if cut else 255


def _seen(point: Point, corner: Point, samples: int) -> Point:
    return (point[0] - corner[0]) * samples, (point[1] - corner[1]) * samples


def _polygon(points: Sequence[Point], ink: int, pen: ImageDraw.ImageDraw, corner: Point, samples: int) -> None:
    pen.polygon([_seen(point, corner, samples) for point in points], fill=ink)


def _disc(center: Point, radius: float, ink: int, pen: ImageDraw.ImageDraw, corner: Point, samples: int) -> None:
    (x, y), reach = _seen(center, corner, samples), radius * samples
    pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=ink)


def _arc(
    center: Point,
    radius: float,
    width: float,
    start: float,
    end: float,
    pen: ImageDraw.ImageDraw,
    corner: Point,
    samples: int,
) -> None:
    (x, y), reach = _seen(center, corner, samples), radius * samples
    pen.arc((x - reach, y - reach, x + reach, y + reach), start, end, fill=255, width=max(1, round(width * samples)))


def _line(
    points: Sequence[Point], width: float, ink: int, pen: ImageDraw.ImageDraw, corner: Point, samples: int
) -> None:
    seen = [_seen(point, corner, samples) for point in points]
    pen.line(seen, fill=ink, width=max(1, round(width * samples)), joint="curve")
    for end in (points[0], points[-1]):
        _disc(end, width / 2, ink, pen, corner, samples)
