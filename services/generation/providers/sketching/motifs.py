"""What lies behind everything else: one pattern per tone, gathered round a focus.

Nothing small and bright is strewn over the `quiet` part, where words will stand.
"""

from __future__ import annotations

import math

from PIL import ImageDraw

from services.generation.providers.sketching.canvas import Box
from services.generation.providers.sketching.palette import WHITE, luminance, mix, toned
from services.generation.providers.sketching.scene import Scene
from services.generation.providers.sketching.shapes import Point, blob, polar, slanted
from services.generation.providers.sketching.stencil import Stencil


def shards(scene: Scene, focus: Point, quiet: Box | None) -> None:
    """Sharp diagonals through the focus, with streaks of speed."""
    canvas, rng, colors = scene.canvas, scene.rng, scene.palette
    foot, unit = canvas.height + 2, canvas.unit
    lean = canvas.height * rng.uniform(0.3, 0.5) * min(1.0, canvas.width / canvas.height)
    middle = focus[0] - lean / 2

    def shard(left: float, width: float) -> Stencil:
        return Stencil(canvas).polygon(slanted(left, -2, left + unit * width, foot, lean))

    for offset, width in ((-0.62, 0.2), (0.5, 0.12), (0.78, 0.3)):
        shard(middle + unit * (offset + rng.uniform(-0.08, 0.08)), width).lay(toned(colors.primary, 0.45), opacity=0.3)
    main = middle + unit * rng.uniform(-0.4, -0.25)
    start, end = mix(colors.second, colors.deep, 0.15), mix(colors.primary, colors.deep, 0.35)
    shard(main, rng.uniform(0.5, 0.68)).lay(start, to=end, opacity=0.9)
    far = 0.74 if focus[0] > canvas.width / 2 else -0.2
    for offset, width in ((-0.06, 0.022), (-0.11, 0.008), (far, 0.014)):
        shard(main + unit * offset, width).lay(colors.accent, opacity=0.9)
    for _ in range(9):
        _streak(scene, _somewhere(scene, quiet))


def pebbles(scene: Scene, focus: Point, quiet: Box | None) -> None:
    """Large soft shapes at the rims and a little confetti."""
    canvas, rng, colors = scene.canvas, scene.rng, scene.palette
    light, sunny = mix(colors.primary, WHITE, 0.25), mix(colors.accent, WHITE, 0.3)
    start = rng.uniform(0, 360)
    for place, color in enumerate((colors.second, colors.accent, light, colors.second, sunny)):
        angle = math.radians(start + place * 72 + rng.uniform(-20, 20))
        center = (canvas.width * (0.5 + 0.56 * math.cos(angle)), canvas.height * (0.5 + 0.56 * math.sin(angle)))
        radius = canvas.unit * rng.uniform(0.22, 0.4)
        shape = Stencil(canvas).polygon(blob(rng, center, radius))
        if _clearance(center, quiet) > radius:
            shape.lay(color, opacity=0.9)
        else:
            shape.lay(light, opacity=0.35)
    _confetti(scene, quiet)


def squared_paper(scene: Scene, focus: Point, quiet: Box | None) -> None:
    """A fine grid, a large round patch behind the focus, and small crosses where lines meet."""
    canvas, rng, colors = scene.canvas, scene.rng, scene.palette
    pitch = canvas.unit / rng.choice((11, 13, 15))
    _grid(scene, pitch)
    radius = min(canvas.unit * rng.uniform(0.4, 0.46), 0.9 * _clearance(focus, quiet))
    Stencil(canvas).disc(focus, radius).lay(colors.primary, to=colors.second)
    arm, thick = canvas.unit * 0.014, canvas.unit * 0.006
    for _ in range(7):
        x, y = (round(place / pitch) * pitch for place in _somewhere(scene, quiet))
        cross = Stencil(canvas).line([(x - arm, y), (x + arm, y)], thick).line([(x, y - arm), (x, y + arm)], thick)
        cross.lay(colors.accent, opacity=0.85)


def sunburst(scene: Scene, focus: Point, quiet: Box | None) -> None:
    """Rays from the focus, and dots that grow towards the far corners."""
    canvas, rng, colors = scene.canvas, scene.rng, scene.palette
    count, turn, reach = rng.choice((12, 14, 16)), rng.uniform(0, 30), math.hypot(canvas.width, canvas.height)
    rays = Stencil(canvas)
    for ray in range(count):
        start = turn + 360 * ray / count
        rays.polygon([focus, polar(focus, reach, start), polar(focus, reach, start + 180 / count)])
    rays.lay(colors.second, opacity=0.55)
    dots, pitch = Stencil(canvas), canvas.unit / 22
    for row in range(math.ceil(canvas.height / pitch) + 1):
        for column in range(math.ceil(canvas.width / pitch) + 1):
            spot = ((column + row % 2 / 2) * pitch, row * pitch)
            size = pitch * (0.96 * math.dist(spot, focus) / reach - 0.4)
            if size > 1:
                dots.disc(spot, min(size, pitch * 0.46))
    dots.lay(toned(colors.primary, 0.22), opacity=0.4)


def contours(scene: Scene, focus: Point, quiet: Box | None) -> None:
    """A calm panel, and fine rings round the focus."""
    canvas, rng, colors = scene.canvas, scene.rng, scene.palette
    w, h, unit = canvas.width, canvas.height, canvas.unit
    lean = h * rng.uniform(0.12, 0.3) * rng.choice((-1, 1)) * min(1.0, w / h)
    inset = unit * rng.uniform(0.1, 0.3)
    left, right = (focus[0] - inset, w + h) if focus[0] > w / 2 else (-h, focus[0] + inset)
    panel = Stencil(canvas).polygon(slanted(left, -2, right, h + 2, lean))
    panel.lay(mix(colors.primary, colors.second, 0.5), opacity=0.3)
    rings, first = Stencil(canvas), unit * rng.uniform(0.36, 0.42)
    for ring in range(7):
        start = rng.uniform(0, 360)
        rings.ring(focus, first + ring * unit * 0.085, max(1.2, unit * 0.0028), start, start + rng.uniform(120, 320))
    rings.lay(colors.accent if luminance(colors.accent) > 0.12 else colors.pale, opacity=0.32)


def _streak(scene: Scene, start: Point) -> None:
    unit = scene.canvas.unit
    length, thick = unit * scene.rng.uniform(0.05, 0.22), unit * scene.rng.uniform(0.003, 0.007)
    streak = slanted(start[0], start[1], start[0] + length, start[1] + thick, thick)
    Stencil(scene.canvas).polygon(streak).lay(scene.palette.accent, opacity=0.9)


def _confetti(scene: Scene, quiet: Box | None) -> None:
    canvas, rng, color = scene.canvas, scene.rng, scene.palette.pale
    for _ in range(16):
        dot = Stencil(canvas).disc(_somewhere(scene, quiet), canvas.unit * rng.uniform(0.005, 0.014))
        dot.lay(color, opacity=0.7)
    for _ in range(3):
        hoop = Stencil(canvas)
        hoop.ring(_somewhere(scene, quiet), canvas.unit * rng.uniform(0.03, 0.05), canvas.unit * 0.009)
        hoop.lay(color, opacity=0.7)


def _grid(scene: Scene, pitch: float) -> None:
    canvas, colors = scene.canvas, scene.palette
    # Upright lines need no smoothing: a pen on the picture itself is a tenth of the work.
    pen, faint = ImageDraw.Draw(canvas.image), mix(colors.pale, toned(colors.primary, 0.5, 0.7), 0.22)
    for column in range(math.ceil(canvas.width / pitch)):
        pen.line((round(column * pitch), 0, round(column * pitch), canvas.height), faint, 2)
    for row in range(math.ceil(canvas.height / pitch)):
        pen.line((0, round(row * pitch), canvas.width, round(row * pitch)), faint, 2)


def _clearance(focus: Point, quiet: Box | None) -> float:
    """How far it is from a point to the quiet part."""
    if quiet is None:
        return math.inf
    across = max(quiet[0] - focus[0], focus[0] - quiet[2], 0)
    down = max(quiet[1] - focus[1], focus[1] - quiet[3], 0)
    return math.hypot(across, down)


def _somewhere(scene: Scene, quiet: Box | None) -> Point:
    """A place on the canvas, outside the quiet part."""
    while True:
        spot = (scene.rng.uniform(0, scene.canvas.width), scene.rng.uniform(0, scene.canvas.height))
        if _clearance(spot, quiet) > 0:
            return spot
