"""Text as patterns read it: one case, no accents, plain letters; twice, since a look-alike has two readings."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate

from services.prompt.sanitize.confusables import LOOKS_LIKE

_LONGEST = 4
"""A character that folds to more than so many (one Arabic sign is a whole sentence) folds to a space."""
_LAST_FOLDED = 0x1FAFF
"""No pattern looks for anything beyond it; up to it, what was worked out is kept."""
_PLAIN = {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ĸ": "k"}
"""Letters that people without the right keyboard type plainly, and that Unicode does not decompose."""
_ENCLOSED = ((0x1F1E6, 26), (0x1F150, 26), (0x1F170, 26))
"""Letters in flags, in black circles and in black squares."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A text as it is read, and where in the text each part of it was."""

    source: str
    text: str
    """Folded."""
    skeleton: str
    """As long as `text`, with look-alikes taken for what they look like."""

    def origin(self) -> Callable[[int, int], tuple[int, int]]:
        """Turns a span of the folded text into one of the source: whole characters, with the marks on them."""
        if self.source.isascii():
            return lambda start, end: (start, end)
        ends = list(accumulate(len(_FOLD[ord(character)]) for character in self.source))

        def whole(start: int, end: int) -> tuple[int, int]:
            after = bisect_right(ends, end)
            is_inside = after > 0 and after < len(ends) and ends[after - 1] < end
            return bisect_right(ends, start), after + is_inside

        return whole


def fold(text: str) -> Folded:
    if text.isascii():
        folded = text.lower()
        return Folded(text, folded, folded)
    folded = text.translate(_FOLD)
    return Folded(text, folded, folded if folded.isascii() else text.translate(_SKELETON))


class _Table(dict[int, str]):
    """A table for `str.translate` that works out what it is asked for, once."""

    def __init__(self, work_out: Callable[[str], str]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, code_point: int) -> str:
        if code_point > _LAST_FOLDED:
            return chr(code_point)
        return self.setdefault(code_point, self._work_out(chr(code_point)))


def _fold_character(character: str) -> str:
    for first, count in _ENCLOSED:
        if first <= ord(character) < first + count:
            return chr(ord("a") + ord(character) - first)
    if "\uac00" <= character <= "\ud7a3":
        return character  # A syllable is one letter as people read it.
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    plain = "".join(_PLAIN.get(part, part) for part in decomposed if not unicodedata.category(part).startswith("M"))
    return plain if len(plain) <= _LONGEST else " "


def _look_alike(character: str) -> str:
    folded = _fold_character(character)
    if len(folded) != 1 or folded.isascii():
        return folded
    base = unicodedata.normalize("NFKD", character)[0]
    return LOOKS_LIKE.get(base) or LOOKS_LIKE.get(folded, folded)


_FOLD = _Table(_fold_character)
_SKELETON = _Table(_look_alike)
