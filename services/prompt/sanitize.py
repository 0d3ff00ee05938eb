"""Makes users' words safe to put into a prompt, and leaves the words themselves alone.

What goes: characters nobody can see, tokens that carry structure for a language model, and phrases that order
it about. What stays: every script, emoji with their joiners, flags, hex colours, braces, shouting. Words alone
are never suspicious ("System Shock remake", "FACE REVEAL"): an order needs a verb and what it acts on.

A clean-up may bring together what was apart, so it runs until nothing changes; hence it is idempotent. The text
is cut to size before anything else, so the work is bounded whatever comes in.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

MAX_LENGTH = 500
"""Code points of user text that may reach a prompt."""

FENCES = ("subject", "style")
"""Tags a prompt puts around users' words; no user may write them."""

Action = Literal["removed", "replaced", "truncated"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that was changed, and how often."""

    rule: str
    count: int
    action: Action


@dataclass(frozen=True, slots=True)
class Sanitized:
    """Text that may go into a prompt, and what was done to make it so."""

    text: str
    report: tuple[Finding, ...]


def _tags(ascii_text: str) -> str:
    return "".join(chr(0xE0000 + ord(character)) for character in ascii_text)


_PICTOGRAPH = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_EMOJI = f"{_PICTOGRAPH}(?:\ufe0f|[\U0001f3fb-\U0001f3ff]\ufe0f?)?"
_KEPT = "|".join(
    (
        # England, Scotland and Wales: the only flags spelt in tag characters that exist.
        "\U0001f3f4(?:" + "|".join(_tags(region) for region in ("gbeng", "gbsct", "gbwls")) + ")\U000e007f",
        # The longest joined emoji in use has four parts; a longer chain carries something else.
        f"{_EMOJI}(?:\u200d{_EMOJI}){{0,5}}",
        "[0-9#*]\ufe0f\u20e3",
        # Persian and the Indic scripts spell with joiners: one, between two letters.
        "(?<=[\u0620-\u0dff])[\u200c\u200d](?=[\u0620-\u0dff])",
    )
)
_UNSEEN = re.compile(
    f"(?P<kept>{_KEPT})"
    # Braille blank and the wide Hangul fillers look like a space, so they become one.
    "|(?P<line_break>[\t-\r\x1c-\x1f\x85\u2028\u2029\u2800\u3164\uffa0]+)"
    "|(?P<control>[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f])"
    "|(?P<bidi>[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])"
    "|(?P<zero_width>[\u00ad\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff])"
    "|(?P<variation_selector>[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef])"
    "|(?P<tag>[\U000e0000-\U000e007f])"
    "|(?P<filler>[\u034f\u115f\u1160\u17b4\u17b5\u180e\U0001bca0-\U0001bca3\U0001d173-\U0001d17a])"
    "|(?P<not_text>[\ud800-\uf8ff\ufdd0-\ufdef\ufff0-\uffff\U000e0080-\U000e00ff\U000e01f0-\U0010ffff])"
)

_GAP = r"[\W_]{1,8}"
_WORDS_OF_ORDER = "(?:instruction|prompt|rule|direction|directive|guideline|command|constraint|message)s?"
_ORDER = (
    rf"\b(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?){_GAP}"
    rf"(?:(?:all|any|every|everything|anything|of|in|to|the|this|that|these|those|your|my){_GAP}){{0,5}}"
    "(?:"
    rf"(?:(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|system){_GAP}"
    rf"(?:(?:and|or|given|stated|mentioned){_GAP})?){{1,3}}{_WORDS_OF_ORDER}\b"
    rf"|{_WORDS_OF_ORDER}{_GAP}above\b"
    r"|(?<=everything )above\b(?= *(?:$|[.,;:!]|and\b|then\b))"
    ")[ .,;:!]{0,8}"
)
_SPACES = r"[^\S\n]{0,8}"
_SPEAKER = rf"(?:system|assistant)(?: (?:prompt|message|instructions?))?{_SPACES}:(?=\s|\w|$){_SPACES}"
_ROLE = rf"^[^\S\n]*(?:(?:#{{1,6}}{_SPACES})?{_SPEAKER})+"
_PHRASES = (
    ("code_fence", re.compile(r"`{3,}")),
    (
        "special_token",
        re.compile(
            r"<\|[^<>|]{0,64}\|>|\[ {0,3}/? {0,3}inst {0,3}\]|<< {0,3}/? {0,3}sys {0,3}>>|</?s>|<(?:start|end)_of_turn>"
        ),
    ),
    ("fence_mark", re.compile(rf"<{_SPACES}/?{_SPACES}(?:{'|'.join(FENCES)})\b{_SPACES}/?>?")),
    ("role_label", re.compile(_ROLE, re.MULTILINE)),
    ("injected_order", re.compile(_ORDER)),
)
"""Looked for in a folded copy, so that ＩＧＮＯＲＥ and ⓘⓖⓝⓞⓡⓔ are read as a model reads them."""

_RULES: dict[str, Action] = {
    "length": "truncated",
    "line_break": "replaced",
    **{rule: "removed" for rule in _UNSEEN.groupindex if rule not in ("kept", "line_break")},
    **{rule: "removed" for rule, _ in _PHRASES},
}


def sanitize(text: str) -> Sanitized:
    """Never fails, never answers more than `MAX_LENGTH` code points, always NFC on one line."""
    counts: Counter[str] = Counter()
    cleaned = _clean(text, counts)
    while cleaned != text:
        text, cleaned = cleaned, _clean(cleaned, counts)
    return Sanitized(cleaned, tuple(Finding(rule, counts[rule], _RULES[rule]) for rule in _RULES if counts[rule]))


def _clean(text: str, counts: Counter[str]) -> str:
    """Takes away or leaves, but never adds, canonically decomposed: that is why repeating it comes to an end."""
    composed = unicodedata.normalize("NFC", _cut(text, counts))
    visible = _drop_unseen(composed, counts)
    lines = _drop_phrases(visible, counts).split("\n")
    return " ".join(line.strip() for line in lines if line.strip())


def _cut(text: str, counts: Counter[str]) -> str:
    counts["length"] += max(0, len(text) - MAX_LENGTH)
    return text[:MAX_LENGTH]


def _drop_unseen(text: str, counts: Counter[str]) -> str:
    def replacement(match: re.Match[str]) -> str:
        rule = match.lastgroup or ""
        if rule == "kept":
            return match[0]
        counts[rule] += 1
        # A role label is one only at the start of a line, so lines live until labels were looked for.
        return "\n" if rule == "line_break" else ""

    return text if text.isascii() and text.isprintable() else _UNSEEN.sub(replacement, text)


def _drop_phrases(text: str, counts: Counter[str]) -> str:
    folded, origin = _fold(text)
    spans: list[tuple[int, int]] = []
    for rule, pattern in _PHRASES:
        for match in pattern.finditer(folded):
            counts[rule] += 1
            # One character may fold to several: a match that ends inside them takes the whole character.
            spans.append((origin[match.start()], max(origin[match.end() - 1] + 1, origin[match.end()])))
    return _without(text, spans) if spans else text


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    position = 0
    for start, end in sorted(spans):
        pieces.append(text[position : max(position, start)].strip(" "))
        position = max(position, end)
    pieces.append(text[position:].strip(" "))
    return " ".join(piece for piece in pieces if piece)


def _fold(text: str) -> tuple[str, range | list[int]]:
    """The text as patterns read it, and for each of its characters where that came from."""
    if text.isascii():
        return text.lower(), range(len(text) + 1)
    folded: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        plain = _fold_character(character)
        folded.append(plain)
        origin.extend([index] * len(plain))
    origin.append(len(text))
    return "".join(folded), origin


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    return "".join(part for part in decomposed if not unicodedata.category(part).startswith("M"))
