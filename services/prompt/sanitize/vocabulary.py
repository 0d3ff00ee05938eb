"""What one word may do in an order to a language model, however it is spelt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from services.prompt.sanitize.folding import fold
from services.prompt.sanitize.lexicon import ROLES, SPACED, UNSPACED

OTHER = "x"
"""The role of every word that has none."""

LEET = str.maketrans("01345789@$!|", "oieastbgasil")
LONGEST_PHRASE = 5

_LEET_WITH_L = str.maketrans("1!", "ll")
_SIGNS = "@$!|"
_WORD = re.compile(r"[^\W_]+")
_ROT13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_DOUBLED = re.compile(r"(.)\1+")
_LONGEST_WORD = 40
_SHORTEST_TYPO = 5
_SHORTEST_GLUED = 4
_SHORTEST_MIRRORED = 3


def any_of(words: Iterable[str]) -> str:
    """A pattern for the longest of the words, which reads each letter of a text once."""
    by_first: dict[str, list[str]] = {}
    for word in words:
        by_first.setdefault(word[:1], []).append(word[1:])
    branches = [re.escape(first) + any_of(rests) for first, rests in by_first.items() if first]
    if not branches:
        return ""
    return f"(?:{'|'.join(branches)}){'?' if '' in by_first else ''}"


def _folded(entry: str) -> list[str]:
    return _WORD.findall(fold(entry.rstrip("*")).text)


def _entries(languages: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for groups in languages.values():
        for group, words in groups.items():
            yield from ((entry, ROLES[group]) for entry in words.split())


def _by_word(entries: Iterable[tuple[str, str]], between: str = " ") -> dict[str, str]:
    roles: dict[str, str] = {}
    for entry, its_role in entries:
        roles.setdefault(between.join(_folded(entry)), its_role)
    return roles


def _squeezed(word: str) -> str:
    return _DOUBLED.sub(r"\1", word) if _DOUBLED.search(word) else word


def _scrambled(word: str) -> str:
    """What words with the same letters, in another order after the first, have in common."""
    return word[0] + "".join(sorted(word[1:]))


def _typos(words: Mapping[str, str]) -> dict[str, str]:
    """The words with a letter too few, with letters doubled or not, backwards, and in rot13."""
    typos: dict[str, str] = {}
    for word, its_role in words.items():
        if len(word) >= _SHORTEST_TYPO:
            for index in range(len(word)):
                typos.setdefault(_squeezed(word[:index] + word[index + 1 :]), its_role)
        if len(word) >= _SHORTEST_MIRRORED:
            typos.setdefault(word[::-1], its_role)
            typos.setdefault(word.translate(_ROT13), its_role)
    return typos | {_squeezed(word): its_role for word, its_role in words.items()}


PHRASES = _by_word(entry for entry in _entries(SPACED) if "*" not in entry[0])
"""The role of every word and, its words joined by spaces, of every phrase."""
PHRASE_STARTS = frozenset(phrase.split(" ", 1)[0] for phrase in PHRASES if " " in phrase)

_STEMS = _by_word(entry for entry in _entries(SPACED) if "*" in entry[0])
_STEM = re.compile(any_of(_STEMS))
_ENGLISH = {word: its_role for word, its_role in _by_word(_entries({"en": SPACED["en"]})).items() if " " not in word}
_TYPOS = _typos(_ENGLISH)
_SCRAMBLED = {_scrambled(word): its_role for word, its_role in _ENGLISH.items() if len(word) >= _SHORTEST_TYPO}


@lru_cache(maxsize=8192)
def role(word: str, skeleton: str) -> str:
    """The role of a folded word that looks like `skeleton`: as it stands, in look-alikes, in digits, with a mistake."""
    if len(word) > _LONGEST_WORD:
        return OTHER
    known = _known(word.strip(_SIGNS)) or (_known(skeleton) if skeleton != word else None)
    if known or not skeleton.isascii():
        return known or OTHER
    if skeleton.isalpha():
        return _mistaken(skeleton) or OTHER
    plain = skeleton.translate(LEET)
    return _known(plain) or _known(skeleton.translate(_LEET_WITH_L).translate(LEET)) or _mistaken(plain) or OTHER


def _known(word: str) -> str | None:
    known = PHRASES.get(word)
    if known is None:
        stem = _STEM.match(word)
        known = _STEMS[stem[0]] if stem else None
    return known


def _mistaken(word: str) -> str | None:
    squeezed = _squeezed(word)
    known = _TYPOS.get(squeezed) or _TYPOS.get(word)
    if known is None and len(word) >= _SHORTEST_TYPO:
        known = _SCRAMBLED.get(_scrambled(word)) or (_SCRAMBLED.get(_scrambled(squeezed)) if squeezed != word else None)
    return known


def _is_found_in_others(phrase: str, its_role: str) -> bool:
    """A short word would be found by accident; the little words of English join the longer ones."""
    return len(phrase) >= _SHORTEST_GLUED or (len(phrase) > 1 and phrase in _ENGLISH and its_role in "AYDC")


def _glued() -> dict[str, str]:
    glued = _by_word(_entries(UNSPACED), between="")
    for phrase, its_role in PHRASES.items():
        joined = phrase.replace(" ", "")
        if _is_found_in_others(joined, its_role):
            glued.setdefault(joined, its_role)
    return glued


GLUED = _glued()
"""The role of what is found inside other letters: words of unspaced scripts, and the longer ones of the others."""
OBJECTS = frozenset(phrase.replace(" ", "") for phrase, its_role in PHRASES.items() if its_role in "OGiI") | {"rules"}
"""Without one of these in its letters, a text in an alphabet has no order spelt in a way that only letters show."""
