"""What each tone looks like."""

from __future__ import annotations

from collections.abc import Mapping

from services.prompt.domain import Tone

_DIRECTIONS: Mapping[Tone, str] = {
    Tone.COMPETITIVE: (
        "charged and determined, with hard directional light, strong contrast, rising diagonals and the tension of the"
        " second before a decision"
    ),
    Tone.CASUAL: (
        "relaxed and welcoming, with soft warm light, gentle contrast, rounded shapes and the ease of an evening among"
        " friends"
    ),
    Tone.EDUCATIONAL: (
        "clear and curious, with even bright light, orderly uncluttered shapes, generous calm space and one thing"
        " plainly shown at a time"
    ),
    Tone.COMEDIC: (
        "playful and exaggerated, with bright cheerful light, bouncy tilted shapes, big expressions and the timing of a"
        " punchline about to land"
    ),
    Tone.PROFESSIONAL: (
        "composed and confident, with controlled studio light, restrained contrast, level lines, precise alignment and"
        " a polished, premium finish"
    ),
}


def direction(tone: Tone) -> str:
    """The tone by its name, and then what it looks like."""
    return f"{tone}, which looks {_DIRECTIONS[tone]}"
