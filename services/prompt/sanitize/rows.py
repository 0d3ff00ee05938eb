"""Reads a text as a row of words, each standing for what it may do in an order to a language model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.prompt.sanitize.folding import Folded
from services.prompt.sanitize.vocabulary import (
    GLUED,
    LEET,
    LONGEST_PHRASE,
    OBJECTS,
    OTHER,
    PHRASE_STARTS,
    PHRASES,
    role,
)

_WORD = re.compile(r"[^\W_]+")
_SIGN = re.compile(r"[@$!|]")
_WORD_WITH_SIGNS = re.compile(r"(?:[^\W_]|[@$!|])+")
_END = re.compile(r"[.,;:!?()\[\]{}\n…、。，；：！？-]")
_UNSPACED_SCRIPT = re.compile("[\uac00-\ud7a3\u3040-\u30ff\u3400-\u9fff]")


def _any_of(words: Iterable[str]) -> str:
    """A pattern for the longest of the words, which reads each letter of a text once."""
    by_first: dict[str, list[str]] = {}
    for word in words:
        by_first.setdefault(word[:1], []).append(word[1:])
    branches = [re.escape(first) + _any_of(rests) for first, rests in by_first.items() if first]
    if not branches:
        return ""
    return f"(?:{'|'.join(branches)}){'?' if '' in by_first else ''}"


_GLUED_WORD = re.compile(_any_of(GLUED))
_OBJECT = re.compile(_any_of(word.replace(" ", "") for word in OBJECTS))


@dataclass(frozen=True, slots=True)
class Row:
    """Words of a folded text: `roles` has two characters for each, its role and a full stop if something ends there."""

    roles: str
    spans: list[tuple[int, int]]


def read_words(folded: Folded) -> Row:
    """The words of a text that has spaces between them."""
    pattern = _WORD_WITH_SIGNS if _SIGN.search(folded.text) else _WORD
    found = [match.span() for match in pattern.finditer(folded.text)]
    roles: list[str] = []
    spans: list[tuple[int, int]] = []
    index = 0
    while index < len(found):
        length, known = _longest_phrase(folded, found[index : index + LONGEST_PHRASE])
        start, end = found[index][0], found[index + length - 1][1]
        index += length
        is_last = index == len(found) or _END.search(folded.text, end, found[index][0])
        roles.append(f"{known}." if is_last else f"{known} ")
        spans.append((start, end))
    return Row("".join(roles), spans)


def _longest_phrase(folded: Folded, found: list[tuple[int, int]]) -> tuple[int, str]:
    """How many of the words make the longest phrase that is known, and its role."""
    first = slice(*found[0])
    if folded.text[first] in PHRASE_STARTS:
        words = [folded.text[start:end] for start, end in found]
        for length in range(len(words), 1, -1):
            known = PHRASES.get(" ".join(words[:length]))
            if known is not None:
                return length, known
    return 1, role(folded.text[first], folded.skeleton[first])


def read_letters(folded: Folded) -> Row | None:
    """The words in a text's letters alone, as if nothing stood between them; None when they hold no order."""
    plain = folded.skeleton.translate(LEET)
    letters = "".join(filter(str.isalpha, plain))
    if not _UNSPACED_SCRIPT.search(letters) and not _OBJECT.search(letters):
        return None
    roles: list[str] = []
    pieces: list[tuple[int, int]] = []
    position = 0
    for match in _GLUED_WORD.finditer(letters):
        if match.start() > position:
            roles.append(f"{OTHER} ")
            pieces.append((position, match.start()))
        roles.append(f"{GLUED[match[0]]} ")
        pieces.append(match.span())
        position = match.end()
    places = [place for place, character in enumerate(plain) if character.isalpha()]
    return Row("".join(roles), [(places[start], places[end - 1] + 1) for start, end in pieces])
