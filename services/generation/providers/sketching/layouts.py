"""Where things go: one layout per kind of asset."""

from __future__ import annotations

import math

from services.generation.providers.sketching.composing import (
    Sketch,
    boxed,
    lay_badge,
    lay_emblem,
    lay_ground,
    write,
)
from services.generation.providers.sketching.inscribe import Align, Relief
from services.generation.providers.sketching.shapes import wave
from services.generation.providers.sketching.stencil import Stencil


def thumbnail(sketch: Sketch) -> None:
    """A badge on one third, huge words on the rest; nothing to read where the player shows the length."""
    w, h = sketch.size
    if sketch.is_wordless:
        lay_emblem(sketch, (0.5 * w, 0.5 * h), 0.36 * h)
        return
    mirrored = sketch.scene.rng.random() < 0.5
    center = ((0.2 if mirrored else 0.8) * w, sketch.scene.rng.uniform(0.45, 0.5) * h)
    left = (0.45 if mirrored else 0.045) * w
    words = boxed(left, 0.08 * h, left + 0.505 * w, 0.87 * h)
    lay_ground(sketch, center, words)
    lay_badge(sketch, center, 0.335 * h)
    write(sketch, words, Align.LEFT, 0.46 * h)


def banner(sketch: Sketch) -> None:
    """Words in the middle, which every device shows; badges run off both ends."""
    w, h = sketch.size
    rng = sketch.scene.rng
    if sketch.is_wordless:
        lay_emblem(sketch, (0.5 * w, 0.5 * h), 0.34 * h)
        _flow(sketch)
        return
    words = boxed(0.235 * w, 0.1 * h, 0.765 * w, 0.81 * h)
    lay_ground(sketch, (rng.choice((0.06, 0.94)) * w, 0.5 * h), words)
    _flow(sketch)
    for share, icon in zip((0.045, 0.955), rng.sample(sketch.style.icons, 2), strict=True):
        lay_badge(sketch, (share * w, rng.uniform(0.42, 0.58) * h), 0.34 * h, icon)
    write(sketch, words, Align.CENTER, 0.42 * h)


def story_graphic(sketch: Sketch) -> None:
    """A badge, and words above or below it; the app's own buttons cover the top and the foot."""
    w, h = sketch.size
    if sketch.is_wordless:
        lay_emblem(sketch, (0.5 * w, 0.46 * h), 0.38 * w)
        return
    words_first = sketch.scene.rng.random() < 0.4
    center = (sketch.scene.rng.uniform(0.4, 0.6) * w, (0.645 if words_first else 0.33) * h)
    top = 0.165 if words_first else 0.535
    words = boxed(0.08 * w, top * h, 0.92 * w, (top + 0.26) * h)
    lay_ground(sketch, center, words)
    lay_badge(sketch, center, 0.3 * w)
    write(sketch, words, Align.CENTER, 0.26 * w)


def clip_cover(sketch: Sketch) -> None:
    """A badge in the middle of a frame, words across its head or foot."""
    w, h = sketch.size
    if sketch.is_wordless:
        lay_emblem(sketch, (0.5 * w, 0.5 * h), 0.34 * w)
        _frame(sketch)
        return
    words_first = sketch.scene.rng.random() < 0.4
    center = (0.5 * w, (0.665 if words_first else 0.335) * h)
    top = 0.085 if words_first else 0.62
    words = boxed(0.1 * w, top * h, 0.9 * w, (top + 0.295) * h)
    lay_ground(sketch, center, words)
    lay_badge(sketch, center, 0.215 * w)
    _frame(sketch)
    write(sketch, words, Align.CENTER, 0.2 * w)


def _flow(sketch: Sketch) -> None:
    """Waves along the foot, for tones that have no edges of their own."""
    if sketch.style.relief in (Relief.CARVED, Relief.OUTLINED):
        return
    canvas, rng, palette = sketch.scene.canvas, sketch.scene.rng, sketch.scene.palette
    w, h = sketch.size
    for level, color, to in ((0.885, palette.accent, palette.spark), (0.93, palette.primary, palette.second)):
        crest = wave(0, w, level * h, 0.024 * h, rng.uniform(0, math.tau), h + 2)
        Stencil(canvas).polygon(crest).lay(color, to=to)


def _frame(sketch: Sketch) -> None:
    """A thin line all round, open at two corners."""
    canvas = sketch.scene.canvas
    w, h = sketch.size
    inset, thick, gap = 0.04 * canvas.unit, 0.007 * canvas.unit, 0.16 * canvas.unit
    lines = Stencil(canvas)
    lines.line([(inset, h - inset - gap), (inset, inset), (w - inset - gap, inset)], thick)
    lines.line([(w - inset, inset + gap), (w - inset, h - inset), (inset + gap, h - inset)], thick)
    lines.lay(sketch.scene.palette.pale if sketch.style.relief is not Relief.MARKED else sketch.scene.palette.accent)
