"""Typefaces by what their letters look like, for a model that does not know them by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from services.prompt.brand_words.typeface_table import TYPEFACES

_WORD = re.compile(r"[^\W\d_]+|\d+[^\W\d_]*")
_KNOWN = {" ".join(_WORD.findall(name)): letters for name, letters in TYPEFACES.items()}
_KINDS = (
    (r"pixel\w*|8 ?bit|16 ?bit|bitmap|arcade", "pixel letters"),
    (r"mono\w*|code|console|terminal|typewriter", "monospaced letters"),
    (r"blackletter|fraktur|old english", "blackletter with broken, angular strokes"),
    (r"script|brush|cursive|calligraph\w*|signature", "a flowing script"),
    (r"hand\w*|marker|chalk|pen|pencil", "casual handwriting"),
    (r"comic|cartoon", "playful comic-book letters"),
    (r"graffiti|spray", "graffiti letters"),
    (r"stencil|army|military", "stencil letters with cut bridges"),
    (r"horror|blood|creep\w*|zombie", "jagged horror-film letters"),
    (r"tech\w*|cyber\w*|future|futur\w*|space|sci ?fi|digital", "squared, futuristic letters"),
    (r"slab|egyptian", "a slab serif with square feet"),
    (r"sans|grotesk|grotesque|gothic|geometric", "a clean sans serif"),
    (r"serif|roman|antiqua|didone|old ?style", "a serif with contrasting strokes"),
    (r"display|poster|headline", "bold display letters"),
)
_FORMS = (
    (r"extra ?condensed|ultra ?condensed|condensed|compressed|narrow", "narrow"),
    (r"extended|expanded|wide", "wide"),
    (r"rounded|round|soft", "rounded"),
    (r"hairline|thin|extra ?light|ultra ?light|light", "thin"),
    (r"semi ?bold|demi ?bold|medium|demi", "medium-heavy"),
    (r"black|heavy|fat|extra ?bold|ultra ?bold|ultra|bold", "heavy"),
    (r"italic|oblique|slanted", "slanted"),
    (r"outline\w*|inline", "outlined"),
    (r"caps|unicase", "in capitals"),
)
_NEUTRAL = "clean, legible letters"


@lru_cache(maxsize=2048)
def letters(name: str) -> str:
    """The name as it was given, and what its letters look like, as far as it or its words can tell."""
    words = _WORD.findall(_parted(name).casefold())
    known, rest = _known(words)
    kind = known or _first(_KINDS, rest) or _NEUTRAL
    forms = [form for pattern, form in _FORMS if _has(pattern, rest)]
    return f"{name}, {kind}" + (f", {' and '.join(forms)}" if forms else "")


def _parted(name: str) -> str:
    """`JetBrainsMono` as people read it; but not a name that is known as it is."""
    if " ".join(_WORD.findall(name.casefold())) in _KNOWN:
        return name
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def _known(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """What is known of the longest name that these words begin with, and the words that follow it."""
    for count in range(len(words), 0, -1):
        found = _KNOWN.get(" ".join(words[:count]))
        if found:
            return found, words[count:]
    return "", words


def _first(table: Sequence[tuple[str, str]], words: Sequence[str]) -> str:
    return next((answer for pattern, answer in table if _has(pattern, words)), "")


def _has(pattern: str, words: Sequence[str]) -> bool:
    return re.search(rf"\b(?:{pattern})\b", " ".join(words)) is not None
