"""Small signs for the middle of a badge, on a square from -1 to 1."""

from __future__ import annotations

import math
from collections.abc import Callable

from services.generation.providers.sketching.shapes import polar, rounded, star
from services.generation.providers.sketching.stencil import Stencil

Icon = Callable[[Stencil], None]


def play(stencil: Stencil) -> None:
    """A triangle with soft corners."""
    corners = [(-0.52, -0.72), (0.78, 0.0), (-0.52, 0.72)]
    stencil.polygon(corners).line([*corners, corners[0]], 0.24)


def bolt(stencil: Stencil) -> None:
    """Lightning."""
    stencil.polygon([(0.3, -1), (-0.62, 0.14), (-0.06, 0.14), (-0.3, 1), (0.62, -0.2), (0.06, -0.2)])


def sparkle(stencil: Stencil) -> None:
    """A fat star."""
    points = star(5, (0, 0.06), 0.98, 0.46)
    stencil.polygon(points).line([*points, points[0]], 0.1)


def crown(stencil: Stencil) -> None:
    """Three points and a band."""
    stencil.polygon([(-0.9, -0.5), (-0.42, 0.02), (0, -0.78), (0.42, 0.02), (0.9, -0.5), (0.72, 0.42), (-0.72, 0.42)])
    stencil.polygon(rounded(-0.72, 0.54, 0.72, 0.78, 0.1))
    for tip in ((-0.9, -0.56), (0, -0.84), (0.9, -0.56)):
        stencil.disc(tip, 0.13)


def trophy(stencil: Stencil) -> None:
    """A cup with two handles."""
    for side in (-1, 1):
        stencil.disc((side * 0.58, -0.42), 0.36).disc((side * 0.58, -0.42), 0.2, cut=True)
    bowl = [(0.58 * math.cos(math.radians(a)), -0.12 + 0.6 * math.sin(math.radians(a))) for a in range(0, 181, 10)]
    stencil.polygon([(-0.58, -0.9), (0.58, -0.9), *bowl])
    stencil.polygon([(-0.12, 0.4), (0.12, 0.4), (0.16, 0.72), (-0.16, 0.72)])
    stencil.polygon(rounded(-0.46, 0.68, 0.46, 0.92, 0.08))


def crosshair(stencil: Stencil) -> None:
    """A ring, four ticks and a dot."""
    stencil.disc((0, 0), 0.74).disc((0, 0), 0.58, cut=True)
    for quarter in range(4):
        stencil.line([polar((0, 0), 0.46, 90 * quarter), polar((0, 0), 0.98, 90 * quarter)], 0.15)
    stencil.disc((0, 0), 0.14)


def heart(stencil: Stencil) -> None:
    """The curve everybody knows."""
    angles = [math.radians(degrees) for degrees in range(0, 360, 5)]
    stencil.polygon(
        [
            (
                0.055 * 16 * math.sin(a) ** 3,
                -0.055 * (13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a)) + 0.02,
            )
            for a in angles
        ]
    )


def controller(stencil: Stencil) -> None:
    """A gamepad."""
    stencil.polygon(rounded(-0.95, -0.55, 0.95, 0.28, 0.42))
    for side in (-1, 1):
        stencil.line([(side * 0.62, 0.0), (side * 0.76, 0.46)], 0.42)
    stencil.line([(-0.66, -0.14), (-0.26, -0.14)], 0.14, cut=True)
    stencil.line([(-0.46, -0.34), (-0.46, 0.06)], 0.14, cut=True)
    for button in ((0.34, -0.02), (0.6, -0.26)):
        stencil.disc(button, 0.12, cut=True)


def smile(stencil: Stencil) -> None:
    """Two eyes and a mouth."""
    for side in (-1, 1):
        stencil.disc((side * 0.36, -0.36), 0.17)
    stencil.line([polar((0, -0.06), 0.62, degrees) for degrees in range(20, 161, 10)], 0.17)


def laugh(stencil: Stencil) -> None:
    """Eyes shut, mouth wide open."""
    for side in (-1, 1):
        stencil.line([(side * 0.66, -0.52), (side * 0.3, -0.36), (side * 0.66, -0.2)], 0.14)
    stencil.polygon(
        [(0.72 * math.cos(math.radians(a)), 0.06 + 0.7 * math.sin(math.radians(a))) for a in range(0, 181, 6)]
    )
    stencil.polygon(rounded(-0.5, 0.06, 0.5, 0.2, 0.06), cut=True)


def bulb(stencil: Stencil) -> None:
    """An idea."""
    stencil.disc((0, -0.3), 0.62)
    stencil.polygon([(-0.46, 0.06), (0.46, 0.06), (0.26, 0.48), (-0.26, 0.48)])
    for level in (0.62, 0.86):
        stencil.line([(-0.2, level), (0.2, level)], 0.14)


def chart(stencil: Stencil) -> None:
    """Four bars, rising."""
    for bar, top in enumerate((0.3, -0.1, -0.42, -0.84)):
        left = -0.88 + 0.47 * bar
        stencil.polygon(rounded(left, top, left + 0.34, 0.84, 0.09))


def check(stencil: Stencil) -> None:
    """Done."""
    stencil.line([(-0.72, 0.06), (-0.2, 0.56), (0.76, -0.5)], 0.3)


def microphone(stencil: Stencil) -> None:
    """On air."""
    stencil.polygon(rounded(-0.3, -0.96, 0.3, 0.22, 0.3))
    stencil.line([polar((0, -0.12), 0.56, degrees) for degrees in range(0, 181, 10)], 0.14)
    stencil.line([(0, 0.48), (0, 0.84)], 0.14).line([(-0.34, 0.86), (0.34, 0.86)], 0.14)
