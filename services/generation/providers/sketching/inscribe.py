"""Writing on a canvas, in ink that can be read there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PIL import Image, ImageChops, ImageDraw

from services.generation.providers.sketching.canvas import Box, Canvas, Lettered
from services.generation.providers.sketching.faces import Face, font
from services.generation.providers.sketching.legibility import Paper, paper_at
from services.generation.providers.sketching.lettering import Block, Line, stroke
from services.generation.providers.sketching.palette import Color, Palette, glowing, luminance, mix
from services.generation.providers.sketching.shapes import slanted
from services.generation.providers.sketching.stencil import Stencil

_LIGHT = 0.25
"""Luminance from which an ink may cast a dark shadow; under a darker one it would only smear."""


class Relief(Enum):
    """How letters stand out from what is behind them."""

    FLAT = "flat"
    MARKED = "marked"
    """One line gone over with a text marker."""
    SOFT = "soft"
    CARVED = "carved"
    """A hard shadow, as if cut from a board."""
    OUTLINED = "outlined"
    """A thick line of ink all round, as in a comic; it is what the letters are read against."""


class Align(Enum):
    """Where lines shorter than their box go."""

    LEFT = 0.0
    CENTER = 0.5


@dataclass(frozen=True, slots=True)
class _Placed:
    """A line of a block where it will be written."""

    face: Face
    line: Line
    left: int
    baseline: int

    @property
    def box(self) -> Box:
        top, foot = self.baseline - self.line.ascent, self.baseline + self.line.descent
        return self.left, top, self.left + self.line.width, foot

    def cast(self, outline: int = 0) -> tuple[Image.Image, tuple[int, int]]:
        """The mask of the letters, or of a line round them, and where it belongs."""
        pad, line = outline + 2, self.line
        mask = Image.new("L", (line.width + 2 * pad, line.ascent + line.descent + 2 * pad))
        ImageDraw.Draw(mask).text(
            (pad - line.left, pad + line.ascent),
            line.text,
            fill=255,
            font=font(self.face, line.size),
            anchor="ls",
            stroke_width=stroke(self.face, line.size) + outline,
        )
        return mask, (self.left - pad, self.baseline - line.ascent - pad)


def inscribe(
    canvas: Canvas, palette: Palette, block: Block, box: Box, *, align: Align, relief: Relief, loud: int | None = None
) -> Box:
    """Writes a block in the middle of a box's height, line number `loud` in an accent; returns where it went."""
    placed = _place(block, box, align)
    taken = _union([line.box for line in placed])
    if relief is Relief.MARKED and loud is not None:
        _mark(canvas, palette, placed[loud])
        loud = None
    paper = _outline_paper(palette) if relief is Relief.OUTLINED else paper_at(canvas, palette, taken)
    inks = [paper.loud_ink(palette) if place == loud else paper.ink for place in range(len(placed))]
    # All that lies under letters first: a line's shadow must not fall on the line above.
    masks = [line.cast() for line in placed]
    for line, (mask, at), ink in zip(placed, masks, inks, strict=True):
        _raise(canvas, palette, line, mask, at, ink, relief)
    for line, (mask, at), ink in zip(placed, masks, inks, strict=True):
        canvas.lay(mask, at, ink)
        canvas.lettered.append(Lettered(line.box, paper.contrast(ink)))
    return taken


def _place(block: Block, box: Box, align: Align) -> list[_Placed]:
    top = round((box[1] + box[3] - block.height) / 2)
    room = box[2] - box[0]
    return [
        _Placed(block.face, line, round(box[0] + (room - line.width) * align.value), top + baseline)
        for line, baseline in zip(block.lines, block.baselines, strict=True)
    ]


def _union(boxes: list[Box]) -> Box:
    lefts, tops, rights, feet = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(feet)


def _outline_paper(palette: Palette) -> Paper:
    around = luminance(palette.deep)
    return Paper(palette.pale, around, around)


def _raise(
    canvas: Canvas, palette: Palette, line: _Placed, mask: Image.Image, at: tuple[int, int], ink: Color, relief: Relief
) -> None:
    """Lays what lifts a line, whose mask belongs `at`, off the picture; the letters themselves come later."""
    size = line.line.size
    if relief is Relief.OUTLINED:
        ring, ring_at = line.cast(outline=max(2, round(size * 0.07)))
        canvas.lay(_extruded(ring, max(2, round(size * 0.06))), ring_at, palette.deep)
    elif relief is Relief.CARVED and luminance(ink) > _LIGHT:
        canvas.lay(_extruded(mask, max(2, round(size * 0.055))), at, mix(palette.deep, palette.primary, 0.12))
    elif relief is Relief.SOFT and luminance(ink) > _LIGHT:
        drop, blur = round(size * 0.03), max(4, round(size * 0.14))
        canvas.cast_shadow(mask, at, palette.deep, drop=drop, blur=blur, opacity=0.5)


def _mark(canvas: Canvas, palette: Palette, placed: _Placed) -> None:
    """Goes over the lower half of a line with a marker."""
    size, (left, _, right, _), baseline = placed.line.size, placed.box, placed.baseline
    swipe = slanted(
        left - size * 0.12, baseline - size * 0.42, right + size * 0.08, baseline + size * 0.12, size * 0.08
    )
    Stencil(canvas).polygon(swipe).lay(mix(glowing(palette, palette.deep, 6), palette.pale, 0.3))


def _extruded(mask: Image.Image, depth: int) -> Image.Image:
    """The mask drawn out to the lower right by so many pixels."""
    wide = Image.new("L", (mask.width + depth, mask.height + depth))
    wide.paste(mask, (0, 0))
    reach = 0
    # Each turn doubles how far it is drawn out.
    while reach < depth:
        step = min(reach + 1, depth - reach)
        shifted = Image.new("L", wide.size)
        shifted.paste(wide, (step, step))
        wide = ImageChops.lighter(wide, shifted)
        reach += step
    return wide
