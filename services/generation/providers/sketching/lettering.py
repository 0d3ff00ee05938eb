"""Setting words: where to break them, how large they can be, and where every line goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from services.generation.providers.sketching.faces import Face, font

_REFERENCE = 100
"""Widths are measured once, at this size, and scaled."""
_SOFT_HYPHEN = "\u00ad"
"""Where a word was broken; shows only at the end of a line."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The room words may take, and how they may use it; lengths in pixels."""

    width: float
    height: float
    largest: int
    smallest: int
    """Words that would be smaller than this are cut, at a word, with an ellipsis."""
    max_lines: int = 4
    spread: float = 1.0
    """How much larger than the smallest line a line may be, to fill the width."""
    gap: float = 0.17
    """Space between lines, as a share of their size."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line at its size; lengths in pixels, ink only."""

    text: str
    size: int
    width: int
    left: int
    """From the pen's origin to the ink; may be negative."""
    ascent: int
    descent: int


@dataclass(frozen=True, slots=True)
class Block:
    """Words set to fit."""

    face: Face
    lines: tuple[Line, ...]
    head: float
    """How far the tallest letter rises above the line, as a share of the size; the same for all lines."""
    foot: float
    """How far the deepest letter hangs below it."""
    gap: float
    """Space between lines, as a share of the size."""

    @property
    def width(self) -> int:
        """Of the widest line."""
        return max(line.width for line in self.lines)

    @property
    def height(self) -> int:
        """From the top of the first line's ink to the foot of the last one's."""
        return self.baselines[-1] + self.lines[-1].descent

    @property
    def baselines(self) -> tuple[int, ...]:
        """Where each line stands, from the top of the block."""
        places = [self.lines[0].ascent]
        for above, line in pairwise(self.lines):
            gap = self.gap * min(above.size, line.size)
            places.append(places[-1] + round(self.foot * above.size + gap + self.head * line.size))
        return tuple(places)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where to break words and how large the lines may be; nothing is measured at that size yet."""

    texts: Sequence[str]
    sizes: Sequence[float]
    head: float
    foot: float
    area: float
    """How much of the frame it fills."""


def fit(face: Face, words: str, frame: Frame) -> Block:
    """Sets words as large as they fit; never wider or higher than the frame."""
    pieces = _pieces(face, words, frame.width / (1.6 * frame.smallest))
    plan = _largest(face, pieces, frame)
    if len(pieces) > 1 and not _is_legible(plan, frame):
        plan = _longest_legible(face, pieces, frame)
    lines = tuple(_line(face, text, size, frame) for text, size in zip(plan.texts, plan.sizes, strict=True))
    return Block(face, lines, plan.head, plan.foot, frame.gap)


def stroke(face: Face, size: int) -> float:
    """How many pixels to thicken letters of a size."""
    return round(face.heft * size * 2) / 2


def _longest_legible(face: Face, pieces: Sequence[str], frame: Frame) -> _Plan:
    """As many of the pieces as can still be read, and an ellipsis."""
    fits, too_many = 1, len(pieces)
    while too_many - fits > 1:
        some = (fits + too_many) // 2
        legible = _is_legible(_largest(face, _cut(pieces, some), frame), frame)
        fits, too_many = (some, too_many) if legible else (fits, some)
    return _largest(face, _cut(pieces, fits), frame)


def _is_legible(plan: _Plan, frame: Frame) -> bool:
    return math.floor(min(plan.sizes)) >= frame.smallest


def _cut(pieces: Sequence[str], some: int) -> list[str]:
    return [*pieces[: some - 1], pieces[some - 1].rstrip(f".,:;!?…-–—{_SOFT_HYPHEN}") + "…"]


def _largest(face: Face, pieces: Sequence[str], frame: Frame) -> _Plan:
    """The number of lines that fills the frame best."""
    counts = range(1, min(frame.max_lines, len(pieces)) + 1)
    return max((_planned(face, _wrapped(face, pieces, count), frame) for count in counts), key=lambda plan: plan.area)


def _planned(face: Face, texts: Sequence[str], frame: Frame) -> _Plan:
    """Lines at the largest sizes the frame allows them."""
    spans = [_ink(face, text) for text in texts]
    widths = [right - left for left, _, right, _ in spans]
    # A little less than there is: letters are a little wider or higher when they are small.
    room = frame.width * 0.985
    sizes = [min(room / width, frame.spread * room / max(widths), frame.largest) for width in widths]
    head, foot = max(-top for _, top, _, _ in spans), max(0.0, *(bottom for *_, bottom in spans))
    height = (head + foot) * sum(sizes) + frame.gap * sum(min(pair) for pair in pairwise(sizes))
    scale = min(1.0, 0.97 * frame.height / height)
    area = sum(width * (size * scale) ** 2 for width, size in zip(widths, sizes, strict=True))
    return _Plan(texts, [size * scale for size in sizes], head, foot, area)


def _line(face: Face, text: str, size: float, frame: Frame) -> Line:
    """A line as it is at about a size; smaller by a pixel or two where it would be too wide."""
    for whole in range(max(1, math.floor(size)), 0, -1):
        left, top, right, bottom = font(face, whole).getbbox(text, anchor="ls", stroke_width=stroke(face, whole))
        if right - left <= frame.width:
            break
    return Line(text, whole, math.ceil(right - left), math.floor(left), math.ceil(-top), math.ceil(bottom))


def _wrapped(face: Face, pieces: Sequence[str], count: int) -> list[str]:
    """At most `count` lines, as even as they can be."""
    widths = [_advance(face, piece) for piece in pieces]
    low, high = max(widths), sum(widths) + _advance(face, " ") * len(pieces)
    for _ in range(12):
        width = (low + high) / 2
        low, high = (low, width) if len(_broken(face, pieces, width)) <= count else (width, high)
    return _broken(face, pieces, high)


def _broken(face: Face, pieces: Sequence[str], width: float) -> list[str]:
    lines: list[str] = []
    used = math.inf
    space = _advance(face, " ")
    for piece in pieces:
        need = _advance(face, piece)
        gap = 0.0 if lines and lines[-1].endswith(_SOFT_HYPHEN) else space
        if used + gap + need <= width + 1e-6:
            lines[-1] = lines[-1].removesuffix(_SOFT_HYPHEN) + (" " if gap else "") + piece
            used += gap + need
        else:
            lines.append(piece)
            used = need
    return [line.replace(_SOFT_HYPHEN, "-") for line in lines]


def _pieces(face: Face, words: str, limit: float) -> list[str]:
    """The words, those wider than `limit` times their size broken where they must be."""
    pieces: list[str] = []
    for word in words.split():
        while _advance(face, word) > limit and len(word) > 3:
            part = max(2, math.floor(len(word) * limit / _advance(face, word) * 0.9))
            pieces.append(word[:part] + _SOFT_HYPHEN)
            word = word[part:]
        pieces.append(word)
    return pieces


@lru_cache(maxsize=2048)
def _advance(face: Face, text: str) -> float:
    """A width, in sizes."""
    return font(face, _REFERENCE).getlength(text.replace(_SOFT_HYPHEN, "-")) / _REFERENCE


@lru_cache(maxsize=512)
def _ink(face: Face, text: str) -> tuple[float, float, float, float]:
    """The ink's box round the pen's origin, in sizes."""
    heft = stroke(face, _REFERENCE)
    left, top, right, bottom = font(face, _REFERENCE).getbbox(text, anchor="ls", stroke_width=heft)
    return left / _REFERENCE, top / _REFERENCE, right / _REFERENCE, bottom / _REFERENCE
