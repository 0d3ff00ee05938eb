"""Reads a text as a row of words, each standing for what it may do in an order to a language model."""

from __future__ import annotations

import re
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
    any_of,
    role,
)

_WORD = re.compile(r"[^\W_]+")
_SIGN = re.compile(r"[@$!|]")
_WORD_WITH_SIGNS = re.compile(r"(?:[^\W_]|[@$!|])+")
_END = re.compile(r"[.,;:!?()\[\]{}\n…、。，；：！？-]")
_UNSPACED_SCRIPT = re.compile("[\uac00-\ud7a3\u3040-\u30ff\u3400-\u9fff]")
_NO_LETTERS = {place: None for place in range(128) if not chr(place).isalpha()}
_REACH = 80
"""Letters between what an order is about and its farthest word."""

_GLUED_WORD = re.compile(any_of(GLUED))
_OBJECT = re.compile(any_of(OBJECTS))


@dataclass(frozen=True, slots=True)
class Row:
    """Words of a folded text: `roles` has two characters for each, its role and a full stop if something ends there."""

    roles: str
    spans: list[tuple[int, int]]


def read_words(folded: Folded) -> Row:
    """The words of a text that has spaces between them."""
    text, skeleton = folded.text, folded.skeleton
    found = [match.span() for match in (_WORD_WITH_SIGNS if _SIGN.search(text) else _WORD).finditer(text)]
    roles: list[str] = []
    spans: list[tuple[int, int]] = []
    index = 0
    while index < len(found):
        start, end = found[index]
        word, length = text[start:end], 1
        if word in PHRASE_STARTS:
            length, known = _longest_phrase(folded, found[index : index + LONGEST_PHRASE])
            end = found[index + length - 1][1]
        else:
            known = role(word, skeleton[start:end])
        index += length
        after = text[end : found[index][0]] if index < len(found) else "."
        roles.append(f"{known}." if after != " " and _END.search(after) else f"{known} ")
        spans.append((start, end))
    return Row("".join(roles), spans)


def _longest_phrase(folded: Folded, found: list[tuple[int, int]]) -> tuple[int, str]:
    """How many of the words make the longest phrase that is known, and its role."""
    words = [folded.text[start:end] for start, end in found]
    for length in range(len(words), 1, -1):
        known = PHRASES.get(" ".join(words[:length]))
        if known is not None:
            return length, known
    return 1, role(words[0], folded.skeleton[slice(*found[0])])


def read_letters(folded: Folded) -> Row | None:
    """The words in a text's letters alone, as if nothing stood between them; None when they hold no order."""
    plain = folded.skeleton.translate(LEET)
    letters = plain.translate(_NO_LETTERS) if plain.isascii() else "".join(filter(str.isalpha, plain))
    start, end = _region(letters)
    if start == end:
        return None
    roles: list[str] = []
    pieces: list[tuple[int, int]] = []
    position = start
    for match in _GLUED_WORD.finditer(letters, start, end):
        if match.start() > position:
            roles.append(f"{OTHER} ")
            pieces.append((position, match.start()))
        roles.append(f"{GLUED[match[0]]} ")
        pieces.append(match.span())
        position = match.end()
    places = [place for place, character in enumerate(plain) if character.isalpha()]
    return Row("".join(roles), [(places[start], places[end - 1] + 1) for start, end in pieces])


def _region(letters: str) -> tuple[int, int]:
    """Where there may be an order: anywhere in a script without spaces, else around what orders are about."""
    if _UNSPACED_SCRIPT.search(letters):
        return 0, len(letters)
    found = [match.span() for match in _OBJECT.finditer(letters)]
    return (max(0, found[0][0] - _REACH), found[-1][1] + _REACH) if found else (0, 0)
