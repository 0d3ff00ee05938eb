"""The overlay: what surrounds a game and leaves it visible."""

from __future__ import annotations

from PIL import Image

from services.generation.providers.sketching import plates
from services.generation.providers.sketching.canvas import Box
from services.generation.providers.sketching.composing import Sketch, boxed, lay_badge
from services.generation.providers.sketching.faces import TEXT
from services.generation.providers.sketching.inscribe import Align, Relief, inscribe
from services.generation.providers.sketching.lettering import Block, Frame, fit
from services.generation.providers.sketching.palette import WHITE, Color, glowing, mix, plate_color
from services.generation.providers.sketching.scene import Scene
from services.generation.providers.sketching.smooth import enlarged
from services.generation.providers.sketching.stencil import Stencil

_BAR = 136
"""Height of the lower third's plate, in pixels."""
_MARGIN = 78
_BADGE = 98
"""Radius of the badge at the plate's end."""


def overlay(sketch: Sketch) -> None:
    """A lower third, a frame for the camera and corners; the middle stays empty."""
    rng = sketch.scene.rng
    _shade_foot(sketch.scene)
    _lay_corners(sketch.scene, arm=rng.uniform(80, 190))
    _lay_camera(sketch, on_left=rng.random() < 0.5)
    _lay_lower_third(sketch, on_left=rng.random() < 0.5)


def _shade_foot(scene: Scene) -> None:
    """A veil that thickens towards the lower rim."""
    width, height = scene.canvas.width, round(0.22 * scene.canvas.height)
    ramp = enlarged(Image.linear_gradient("L"), (width, height), Image.Resampling.BILINEAR)
    scene.canvas.lay(ramp, (0, scene.canvas.height - height), scene.palette.shade, 0.7)


def _lay_corners(scene: Scene, arm: float) -> None:
    canvas, inset = scene.canvas, 28.0
    for right, down in ((False, False), (True, False), (True, True), (False, True)):
        x, y = canvas.width if right else 0, canvas.height if down else 0
        across, along = (-1 if right else 1), (-1 if down else 1)
        corner = (inset * across, inset * along)
        arms = [(corner[0] + arm * across, corner[1]), corner, (corner[0], corner[1] + arm * along)]
        Stencil(canvas, (x, y)).line(arms, 9).lay(glowing(scene.palette, scene.palette.deep))


def _lay_camera(sketch: Sketch, *, on_left: bool) -> None:
    """An empty frame in an upper corner, in the proportions of a camera."""
    scene = sketch.scene
    width, height, margin = 340, 191, 92
    left = margin if on_left else scene.canvas.width - margin - width
    # A pill as high as a picture would cut its corners off.
    outline = plates.card if sketch.style.plate is plates.pill else sketch.style.plate
    for shift, fill, to in ((9, scene.palette.accent, None), (0, scene.palette.primary, scene.palette.second)):
        box = (left + shift, margin + shift, left + width + shift, margin + height + shift)
        opening = (left + 9, margin + 9, left + width - 9, margin + height - 9)
        stencil = Stencil(scene.canvas)
        stencil.polygon(outline(box)).polygon(outline(opening), cut=True).lay(fill, to=to)


def _lay_lower_third(sketch: Sketch, *, on_left: bool) -> None:
    """A plate along the foot with the words on it and a badge at its end."""
    w, h = sketch.size
    badge = (190 if on_left else w - 190, h - _MARGIN - _BAR / 2)
    room = Frame(1150, 0.72 * _BAR, 84, 34, 2)
    block = None if sketch.is_wordless else fit(sketch.speech.face, sketch.speech.headline, room)
    # Without words the plate is a ribbon.
    inset = 0 if block else _BAR // 3
    length = _BADGE + (max(300, block.width) + 100 if block else 420)
    left = badge[0] if on_left else badge[0] - length
    plate = boxed(left, h - _MARGIN - _BAR + inset, left + length, h - _MARGIN - inset)
    words = boxed(left + (_BADGE + 30 if on_left else 70), plate[1], left + length, plate[3])
    if block and sketch.speech.strap:
        _lay_strap(sketch, words, on_left=on_left)
    _lay_plate(sketch, plate)
    if block:
        within = (words[0], words[1], words[0] + block.width, words[3])
        inscribe(sketch.scene.canvas, sketch.scene.palette, block, within, align=Align.LEFT, relief=Relief.FLAT)
    lay_badge(sketch, badge, _BADGE)


def _lay_plate(sketch: Sketch, box: Box) -> None:
    scene = sketch.scene
    shifted = (box[0] + 10, box[1] + 12, box[2] + 10, box[3] + 12)
    Stencil(scene.canvas).polygon(sketch.style.plate(shifted)).lay(scene.palette.accent)
    fill, to = _plate_colors(sketch)
    Stencil(scene.canvas).polygon(sketch.style.plate(box)).lay(fill, to=to)


def _plate_colors(sketch: Sketch) -> tuple[Color, Color]:
    """Close to each other where words stand, so that one ink reads on both."""
    palette = sketch.scene.palette
    if sketch.is_wordless:
        return palette.primary, palette.second
    if sketch.style.relief is Relief.MARKED:
        return WHITE, palette.pale
    return mix(palette.deep, palette.primary, 0.2), palette.deep


def _lay_strap(sketch: Sketch, words: Box, *, on_left: bool) -> None:
    """A tab that stands on the plate, flush with the words; longer than they are, it grows away from the rim."""
    scene = sketch.scene
    strap: Block = fit(TEXT, sketch.speech.strap, Frame(900, 30, 32, 24, 1))
    width = strap.width + 56
    left = words[0] if on_left else min(words[0], words[2] - _BADGE - 60 - width)
    tab = (left, words[1] - 48, left + width, words[1] + 6)
    Stencil(scene.canvas).polygon(sketch.style.plate(tab)).lay(plate_color(scene.palette))
    within = (tab[0] + 28, tab[1] + 2, tab[2] - 28, tab[3] - 8)
    inscribe(scene.canvas, scene.palette, strap, within, align=Align.CENTER, relief=Relief.FLAT)
