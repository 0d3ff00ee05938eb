"""The sanitiser itself: one clean-up after another, until nothing changes.

A clean-up may bring together what was apart, so it is repeated; hence sanitising twice is sanitising once. The text is
cut to size before anything else, each step takes time in proportion to its length, and the rounds are counted, so the
work is bounded whatever comes in.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

from services.prompt.sanitize.encodings import readings
from services.prompt.sanitize.findings import Sanitized, report
from services.prompt.sanitize.folding import fold
from services.prompt.sanitize.orders import find_orders
from services.prompt.sanitize.structure import find_structure
from services.prompt.sanitize.unseen import drop_unseen

MAX_LENGTH = 500
"""Code points of user text that may reach a prompt."""

_ROUNDS = 5
"""Orders that are still there under so many layers are nobody's idea of a picture: nothing is kept of such a text."""


def sanitize(text: str) -> Sanitized:
    """Never fails, never answers more than `MAX_LENGTH` code points, always NFC on one line."""
    counts: Counter[str] = Counter()
    text = _cut(text, counts).strip()
    for _ in range(_ROUNDS):
        before, text = text, _clean(text, counts)
        if text == before:
            return Sanitized(text, report(counts))
    counts["layered_orders"] += 1
    return Sanitized("", report(counts))


def _clean(text: str, counts: Counter[str]) -> str:
    """Takes away or leaves, but never adds, canonically decomposed."""
    visible = drop_unseen(_cut(unicodedata.normalize("NFC", text), counts), counts)
    lines = _drop_orders(visible, counts).split("\n")
    return " ".join(line.strip() for line in lines if line.strip())


def _cut(text: str, counts: Counter[str]) -> str:
    counts["length"] += max(0, len(text) - MAX_LENGTH)
    return text[:MAX_LENGTH]


def _drop_orders(text: str, counts: Counter[str]) -> str:
    """The text without its findings; of those that overlap the one that begins first counts."""
    pieces: list[str] = []
    position = 0
    for rule, start, end in sorted(_findings(text), key=lambda finding: finding[1]):
        if start >= position:
            counts[rule] += 1
            pieces.append(text[position:start].strip(" "))
        position = max(position, end)
    if not pieces:
        return text
    pieces.append(text[position:].strip(" "))
    return " ".join(piece for piece in pieces if piece)


def _findings(text: str) -> Iterator[tuple[str, int, int]]:
    """The rule, start and end of what has to go."""
    yield from _read(text)
    for reading in readings(text):
        for _, start, end in _read(reading.text):
            yield "encoded_order", *reading.origin(start, end)


def _read(text: str) -> list[tuple[str, int, int]]:
    folded = fold(text)
    found = [*find_structure(folded.text), *find_orders(folded)]
    origin = folded.origin() if found else None
    return [(rule, *origin(start, end)) for rule, start, end in found] if origin else []
