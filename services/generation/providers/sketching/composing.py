"""The parts every layout is made of: backdrop, badge, headline and strap."""

from __future__ import annotations

from dataclasses import dataclass

from services.generation.providers.sketching.canvas import Box
from services.generation.providers.sketching.faces import TEXT
from services.generation.providers.sketching.icons import Icon
from services.generation.providers.sketching.inscribe import Align, Relief, inscribe
from services.generation.providers.sketching.legibility import quieten
from services.generation.providers.sketching.lettering import Block, Frame, fit
from services.generation.providers.sketching.palette import plate_color
from services.generation.providers.sketching.scene import Scene
from services.generation.providers.sketching.shapes import Point
from services.generation.providers.sketching.stencil import Stencil
from services.generation.providers.sketching.style import Speech, Style


@dataclass(frozen=True, slots=True)
class Sketch:
    """One picture in the making: the scene, how it should look, and what it should say."""

    scene: Scene
    style: Style
    speech: Speech

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.scene.canvas.image.size

    @property
    def is_wordless(self) -> bool:
        """Whether there is nothing to write."""
        return not self.speech.headline


def boxed(left: float, top: float, right: float, bottom: float) -> Box:
    return round(left), round(top), round(right), round(bottom)


def lay_ground(sketch: Sketch, focus: Point, words: Box | None = None) -> None:
    """The backdrop, quiet where words will stand."""
    scene, style = sketch.scene, sketch.style
    w, h = sketch.size
    scene.canvas.image.paste(style.ground((w, h), scene.palette, scene.rng, (focus[0] / w, focus[1] / h)))
    style.motif(scene, focus, words)
    if words and style.relief is not Relief.OUTLINED:
        quieten(scene.canvas, scene.palette, words, round(0.4 * scene.canvas.unit))


def lay_emblem(sketch: Sketch, center: Point, radius: float) -> None:
    """A picture without words: all attention on the badge."""
    lay_ground(sketch, center)
    lay_badge(sketch, center, radius)


def lay_badge(sketch: Sketch, center: Point, radius: float, icon: Icon | None = None) -> None:
    """The tone's badge, with one of its icons."""
    scene = sketch.scene
    seat = sketch.style.badge(scene, center, radius)
    stencil = Stencil(scene.canvas, seat.center, unit=seat.radius, turn=seat.turn)
    (icon or scene.rng.choice(sketch.style.icons))(stencil)
    stencil.lay(seat.ink)


def write(sketch: Sketch, box: Box, align: Align, largest: float) -> None:
    """The headline, and the strap on a plate below it."""
    scene, speech = sketch.scene, sketch.speech
    width, height = box[2] - box[0], box[3] - box[1]
    smallest = round(0.055 * scene.canvas.unit)
    strap = _strap(sketch, width, height) if speech.strap else None
    room = height - (strap.height + 2.0 * strap.lines[0].size if strap else 0)
    block = fit(speech.face, speech.headline, Frame(width, room, round(largest), smallest, 7, sketch.style.spread))
    top = round(box[1] + (room - block.height) / 2)
    place = (box[0], top, box[2], top + block.height)
    loud = _loudest(block)
    taken = inscribe(scene.canvas, scene.palette, block, place, align=align, relief=sketch.style.relief, loud=loud)
    if strap:
        _write_strap(sketch, strap, taken, align, box)


def _strap(sketch: Sketch, width: float, height: float) -> Block:
    size = round(min(0.062 * sketch.scene.canvas.unit, 0.15 * height))
    return fit(TEXT, sketch.speech.strap, Frame(width * 0.9, height * 0.22, size, round(size * 0.75), 2, gap=0.4))


def _write_strap(sketch: Sketch, strap: Block, above: Box, align: Align, box: Box) -> None:
    scene = sketch.scene
    size = strap.lines[0].size
    pad_x, pad_y = round(size * 0.7), round(size * 0.45)
    width, height = strap.width + 2 * pad_x, strap.height + 2 * pad_y
    left = round(box[0] + (box[2] - box[0] - width) * align.value)
    top = above[3] + round(size * (1.0 if sketch.style.relief is Relief.OUTLINED else 0.7))
    plate = (left, top, left + width, top + height)
    Stencil(scene.canvas).polygon(sketch.style.plate(plate)).lay(plate_color(scene.palette))
    inscribe(
        scene.canvas,
        scene.palette,
        strap,
        (left + pad_x, top + pad_y, left + width - pad_x, top + height - pad_y),
        align=align,
        relief=Relief.FLAT,
    )


def _loudest(block: Block) -> int | None:
    """The line to set in an accent: the one with a figure, else the last."""
    if len(block.lines) < 2:
        return None
    figures = [place for place, line in enumerate(block.lines) if any(char.isdigit() for char in line.text)]
    return figures[0] if figures else len(block.lines) - 1
