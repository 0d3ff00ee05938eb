"""Outlines, as points."""

from __future__ import annotations

import math
from random import Random

Point = tuple[float, float]


def polar(center: Point, radius: float, degrees: float) -> Point:
    """The point this far from a centre, clockwise from three o'clock."""
    angle = math.radians(degrees)
    return center[0] + radius * math.cos(angle), center[1] + radius * math.sin(angle)


def regular(sides: int, center: Point, radius: float, turn: float = -90) -> list[Point]:
    """A regular polygon, a corner at the top."""
    return [polar(center, radius, turn + 360 * side / sides) for side in range(sides)]


def star(points: int, center: Point, outer: float, inner: float, turn: float = -90) -> list[Point]:
    """A star, a point at the top."""
    return [polar(center, inner if half % 2 else outer, turn + 180 * half / points) for half in range(2 * points)]


def burst(rng: Random, points: int, center: Point, outer: float, inner: float) -> list[Point]:
    """A star whose points are drawn by hand: none as long as the next."""
    turn = rng.uniform(0, 360)
    return [
        polar(center, inner if half % 2 else outer * rng.uniform(0.9, 1.0), turn + 180 * half / points)
        for half in range(2 * points)
    ]


def blob(rng: Random, center: Point, radius: float, wobble: float = 0.08) -> list[Point]:
    """A circle that would rather be a pebble."""
    first, second = rng.uniform(0, math.tau), rng.uniform(0, math.tau)
    return [
        polar(
            center,
            radius
            * (
                1
                + wobble * math.sin(2 * math.radians(degrees) + first)
                + wobble / 2 * math.sin(3 * math.radians(degrees) + second)
            ),
            degrees,
        )
        for degrees in range(0, 360, 4)
    ]


def rounded(left: float, top: float, right: float, bottom: float, radius: float) -> list[Point]:
    """A rectangle with round corners."""
    radius = min(radius, (right - left) / 2, (bottom - top) / 2)
    corners = (
        ((right - radius, top + radius), -90),
        ((right - radius, bottom - radius), 0),
        ((left + radius, bottom - radius), 90),
        ((left + radius, top + radius), 180),
    )
    return [polar(center, radius, start + degrees) for center, start in corners for degrees in range(0, 91, 9)]


def slanted(left: float, top: float, right: float, bottom: float, lean: float) -> list[Point]:
    """A rectangle whose top is `lean` pixels further right than its foot."""
    return [(left + lean, top), (right + lean, top), (right, bottom), (left, bottom)]


def wave(left: float, right: float, level: float, height: float, phase: float, floor: float) -> list[Point]:
    """The area between a sine wave round `level` and a flat `floor`."""
    steps = 64
    crest = [
        (
            left + (right - left) * step / steps,
            level
            + height * math.sin(phase + 4.2 * step / steps)
            + height * 0.35 * math.sin(2 * phase + 9 * step / steps),
        )
        for step in range(steps + 1)
    ]
    return [*crest, (right, floor), (left, floor)]
