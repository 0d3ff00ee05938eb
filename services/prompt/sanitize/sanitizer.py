"""The sanitiser itself: one clean-up after another, until nothing changes.

A clean-up may bring together what was apart, so it is repeated; hence sanitising twice is sanitising once. The text is
cut to size before anything else, each step takes time in proportion to its length, and the rounds are counted, so the
work is bounded whatever comes in.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import replace
from functools import lru_cache

from services.prompt.sanitize.encodings import readings
from services.prompt.sanitize.findings import Sanitized, merged, report
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
    if len(text) <= MAX_LENGTH:
        return _sanitized(text)
    sanitized = _sanitized(text[:MAX_LENGTH])
    return replace(sanitized, report=merged(report({"length": len(text) - MAX_LENGTH}), sanitized.report))


@lru_cache(maxsize=2048)
def _sanitized(text: str) -> Sanitized:
    """Remembered: a brand kit's texts come again with every prompt, and a job's words with each of its pictures."""
    counts: Counter[str] = Counter()
    text = text.strip()
    for _ in range(_ROUNDS):
        before, text = text, _clean(text, counts)
        if text == before:
            return Sanitized(text, report(counts))
    counts["layered_orders"] += 1
    return Sanitized("", report(counts))


def _clean(text: str, counts: Counter[str]) -> str:
    """Takes away or leaves, but never adds, canonically decomposed."""
    composed = unicodedata.normalize("NFC", text)
    if len(composed) > MAX_LENGTH:
        counts["length"] += len(composed) - MAX_LENGTH
    visible = drop_unseen(composed[:MAX_LENGTH], counts)
    lines = _drop_orders(visible, counts).split("\n")
    return " ".join(line.strip() for line in lines if line.strip())


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


def _findings(text: str) -> list[tuple[str, int, int]]:
    """The rule, start and end of what has to go; encodings are looked under when there is nothing else left."""
    plain = _read(text)
    return plain or [
        ("encoded_order", *reading.origin(start, end))
        for reading in readings(text)
        for _, start, end in _read(reading.text)
    ]


def _read(text: str) -> list[tuple[str, int, int]]:
    folded = fold(text)
    found = [*find_structure(folded.text), *find_orders(folded)]
    origin = folded.origin() if found else None
    return [(rule, *origin(start, end)) for rule, start, end in found] if origin else []
