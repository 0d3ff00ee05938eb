"""The shape the eye goes to: one per tone, with a seat for an icon."""

from __future__ import annotations

from services.generation.providers.sketching.palette import (
    WHITE,
    Color,
    contrast,
    glowing,
    ink_on,
    luminance,
    mix,
    toned,
)
from services.generation.providers.sketching.scene import Scene, Seat
from services.generation.providers.sketching.shapes import Point, blob, burst, polar, regular, rounded
from services.generation.providers.sketching.stencil import Stencil

_FLAT = (0.0, 0.0)


def hexagon(scene: Scene, center: Point, radius: float) -> Seat:
    """A plate of steel: gradient rim, dark heart, bright edge."""
    canvas, colors, rng = scene.canvas, scene.palette, scene.rng
    turn = rng.uniform(-8, 8)

    def stencil() -> Stencil:
        return Stencil(canvas, center, unit=radius, turn=turn)

    slip = rng.choice((-1, 1)) * 0.11
    stencil().polygon(regular(6, (slip, 0.1), 1.02)).lay(colors.accent)
    rim = stencil().polygon(regular(6, _FLAT, 1.0))
    rim.shadow(colors.deep, drop=round(radius * 0.05), blur=round(radius * 0.12), opacity=0.7)
    rim.lay(mix(colors.primary, WHITE, 0.15), to=colors.second)
    stencil().polygon(regular(6, _FLAT, 0.84)).lay(mix(colors.deep, colors.primary, 0.22), to=colors.deep)
    edge = stencil().polygon(regular(6, _FLAT, 0.79)).polygon(regular(6, _FLAT, 0.765), cut=True)
    edge.lay(glowing(colors, colors.deep), opacity=0.9)
    return Seat(center, radius * 0.46, glowing(colors, colors.deep), turn)


def pebble(scene: Scene, center: Point, radius: float) -> Seat:
    """A soft disc on a softer one, with satellites."""
    canvas, colors, rng = scene.canvas, scene.palette, scene.rng

    def stencil() -> Stencil:
        return Stencil(canvas, center, unit=radius)

    stencil().polygon(blob(rng, (0.03, 0.05), 1.12, 0.06)).lay(colors.accent, opacity=0.95)
    disc = stencil().polygon(blob(rng, _FLAT, 0.97, 0.025))
    disc.shadow(colors.deep, drop=round(radius * 0.06), blur=round(radius * 0.14), opacity=0.4)
    top, foot = mix(colors.second, WHITE, 0.12), toned(colors.primary, 0.42)
    disc.lay(top, to=foot)
    stencil().ring(_FLAT, 0.84, 0.035, 190, 285).ring(_FLAT, 0.84, 0.035, 296, 306).lay(WHITE, opacity=0.75)
    first = rng.uniform(0, 360)
    moons = stencil()
    for turn, size in ((0, 0.13), (34, 0.06), (190, 0.09)):
        moons.disc(polar(_FLAT, 1.08, first + turn), size)
    moons.lay(colors.spark)
    return Seat(center, radius * 0.5, ink_on(mix(top, foot, 0.5), colors))


def cards(scene: Scene, center: Point, radius: float) -> Seat:
    """Three cards, fanned; the front one has a coloured head."""
    canvas, colors, rng = scene.canvas, scene.palette, scene.rng
    way = rng.choice((-1, 1))
    half = (-0.72, -0.86, 0.72, 0.86)

    def stencil(turn: float) -> Stencil:
        return Stencil(canvas, center, unit=radius, turn=turn)

    for turn, color in ((15 * way, colors.accent), (5 * way, mix(colors.second, WHITE, 0.35))):
        stencil(turn).polygon(rounded(*half, 0.14)).lay(color)
    tilt = -4.0 * way
    front = stencil(tilt).polygon(rounded(*half, 0.14))
    front.shadow(colors.deep, drop=round(radius * 0.05), blur=round(radius * 0.14), opacity=0.35)
    front.lay(WHITE, to=colors.pale)
    head = stencil(tilt).polygon(rounded(-0.6, -0.74, 0.6, 0.34, 0.09))
    head.lay(mix(colors.primary, WHITE, 0.1), to=colors.primary)
    lines = stencil(tilt)
    for level, length in ((0.5, 0.98), (0.66, 0.62)):
        lines.line([(-0.54, level), (-0.54 + length, level)], 0.075)
    lines.lay(mix(colors.primary, colors.pale, 0.72))
    seat = polar(center, radius * 0.2, -90 + tilt)
    return Seat(seat, radius * 0.36, ink_on(colors.primary, colors), tilt)


def bang(scene: Scene, center: Point, radius: float) -> Seat:
    """An explosion from a comic: hard shadow, ink line, two colours."""
    canvas, colors, rng = scene.canvas, scene.palette, scene.rng
    points = burst(rng, rng.choice((13, 15, 17)), _FLAT, 1.16, 0.84)

    def stencil() -> Stencil:
        return Stencil(canvas, center, unit=radius)

    def scaled(share: float, shift: float = 0.0) -> list[Point]:
        return [(x * share + shift, y * share + shift) for x, y in points]

    stencil().polygon(scaled(1.0, 0.07)).polygon(scaled(1.0)).lay(colors.deep)
    stencil().polygon(scaled(0.95)).lay(colors.accent)
    stencil().polygon(scaled(0.8)).lay(_apart(colors.spark, colors.accent))
    disc = stencil().disc(_FLAT, 0.6)
    disc.lay(colors.deep)
    face = mix(colors.accent, WHITE, 0.25) if luminance(colors.accent) > 0.3 else colors.pale
    stencil().disc(_FLAT, 0.56).lay(face)
    return Seat(center, radius * 0.42, ink_on(face, colors), rng.uniform(-10, 10))


def medal(scene: Scene, center: Point, radius: float) -> Seat:
    """A disc within a broken ring; nothing more."""
    canvas, colors, rng = scene.canvas, scene.palette, scene.rng

    def stencil() -> Stencil:
        return Stencil(canvas, center, unit=radius)

    start = rng.uniform(0, 360)
    stencil().ring(_FLAT, 1.0, 0.03, start, start + 250).lay(colors.accent)
    stencil().ring(_FLAT, 0.92, 0.008).lay(colors.pale, opacity=0.6)
    disc = stencil().disc(_FLAT, 0.8)
    disc.shadow(colors.deep, drop=round(radius * 0.05), blur=round(radius * 0.16), opacity=0.5)
    top, foot = mix(colors.primary, WHITE, 0.3), mix(colors.primary, colors.deep, 0.25)
    disc.lay(top, to=foot)
    stencil().ring(_FLAT, 0.8, 0.012, 150, 330).lay(WHITE, opacity=0.6)
    return Seat(center, radius * 0.4, ink_on(mix(top, foot, 0.5), colors))


def _apart(color: Color, neighbour: Color) -> Color:
    """The colour, unless one could not tell it from its neighbour."""
    return color if contrast(luminance(color), luminance(neighbour)) >= 1.5 else mix(color, WHITE, 0.6)
