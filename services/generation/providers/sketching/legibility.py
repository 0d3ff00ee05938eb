"""Making words readable: an ink for what lies behind them, and a veil over that where no ink will do."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageDraw

from services.generation.providers.sketching.canvas import (
    Box,
    Canvas,
    luminance_range,
    mean_luminance,
)
from services.generation.providers.sketching.palette import LEGIBLE, Color, Palette, readable, worst_contrast
from services.generation.providers.sketching.smooth import blurred, enlarged

_MARGIN = 1.03
"""Asked of inks above what is legible: measuring is exact to about as much."""
_COMFORT = 6.5
"""Contrast to veil for where words will stand: it leaves room for the kit's own colours beside the ink."""
_HALFWAY = 0.3
"""The mean luminance from which dark words look more at home than light ones."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What words are read against, and the ink that suits it."""

    ink: Color
    darkest: float
    """Luminance."""
    brightest: float

    def contrast(self, ink: Color) -> float:
        """The least contrast of an ink with anything on the paper."""
        return worst_contrast(ink, self.darkest, self.brightest)

    def loud_ink(self, palette: Palette) -> Color:
        """The kit's colour that reads here, is told from the ink and has to change least; the ink if there is none."""
        colors = (palette.accent, palette.spark, palette.primary, palette.second)
        moved = [(color, readable(color, self.darkest, self.brightest, _MARGIN)) for color in colors]
        told = [(math.dist(color, loud), loud) for color, loud in moved if loud and math.dist(loud, self.ink) > 90]
        cost, loud = min(told, default=(math.inf, self.ink), key=lambda option: option[0])
        return loud if cost < 130 else self.ink


def paper_at(canvas: Canvas, palette: Palette, box: Box) -> Paper:
    """What is in a box, veiled first as far as it must be for some ink to read everywhere in it.

    The box must lie on the canvas.
    """
    _, veil = _ink_and_veil(canvas.part(box), palette)
    # The last veil hides everything, and some ink reads on a veil.
    for opacity in (0.4, 0.6, 1.0):
        paper = _best_paper(canvas.part(box), palette)
        if paper.contrast(paper.ink) >= LEGIBLE * _MARGIN:
            return paper
        _lay_veil(canvas, box, veil, canvas.unit // 11, opacity)
    return _best_paper(canvas.part(box), palette)


def _best_paper(picture: Image.Image, palette: Palette) -> Paper:
    darkest, brightest = luminance_range(picture)
    papers = [Paper(ink, darkest, brightest) for ink in (palette.pale, palette.deep)]
    return max(papers, key=lambda paper: paper.contrast(paper.ink))


def quieten(canvas: Canvas, palette: Palette, box: Box, feather: int) -> None:
    """Veils what lies in a box, and softly `feather` pixels round it, until words will stand there with ease."""
    glance = canvas.part(box).reduce(2)
    ink, veil = _ink_and_veil(glance, palette)
    plain = Image.new("RGB", glance.size, veil)
    for opacity in (0.0, 0.25, 0.4, 0.55, 0.7, 0.85, 0.95):
        if worst_contrast(ink, *luminance_range(Image.blend(glance, plain, opacity))) >= _COMFORT:
            break
    if opacity:
        _lay_veil(canvas, box, veil, feather, opacity)


def _ink_and_veil(picture: Image.Image, palette: Palette) -> tuple[Color, Color]:
    if mean_luminance(picture) < _HALFWAY:
        return palette.pale, palette.shade
    return palette.deep, palette.pale


def _lay_veil(canvas: Canvas, box: Box, color: Color, feather: int, opacity: float) -> None:
    shrink = 8
    pad = feather + shrink
    width, height = box[2] - box[0] + 2 * pad, box[3] - box[1] + 2 * pad
    small = Image.new("L", (math.ceil(width / shrink), math.ceil(height / shrink)))
    inset = feather / 2 / shrink
    ImageDraw.Draw(small).rectangle((inset, inset, small.width - 1 - inset, small.height - 1 - inset), fill=255)
    soft = enlarged(blurred(small, feather / 4 / shrink), (width, height), Image.Resampling.BILINEAR)
    canvas.lay(soft, (box[0] - pad, box[1] - pad), color, opacity)
