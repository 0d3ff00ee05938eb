"""Tones: each looks and speaks in its own way."""

from __future__ import annotations

import pytest

from services.generation.providers.sketching.style import STYLES, speech_of, style_of
from tests.sketches import TONES, a_kit


def test_every_tone_has_a_style_of_its_own() -> None:
    assert set(STYLES) == set(TONES)
    assert len({style.badge for style in STYLES.values()}) == len(TONES)


def test_an_unknown_tone_looks_professional() -> None:
    assert style_of(a_kit(tone="mysterious")) is STYLES["professional"]


def test_a_tone_is_known_however_it_is_written() -> None:
    assert style_of(a_kit(tone=" Comedic ")) is STYLES["comedic"]


def test_competition_shouts_and_a_lesson_does_not() -> None:
    assert speech_of(a_kit(tone="competitive"), "Road to Elite").headline == "ROAD TO ELITE"
    assert speech_of(a_kit(tone="educational"), "Road to Elite").headline == "Road to Elite"


@pytest.mark.parametrize(
    "words",
    ["Big review: what changed", "Big review | what changed", "Big review - what changed", "Big review — what changed"],
)
def test_a_second_thought_becomes_the_strap(words: str) -> None:
    speech = speech_of(a_kit(tone="casual"), words)

    assert (speech.headline, speech.strap) == ("Big review", "what changed")


def test_a_sentence_keeps_its_mark_when_the_next_one_becomes_the_strap() -> None:
    speech = speech_of(a_kit(tone="casual"), "We did it! Thanks to all of you")

    assert (speech.headline, speech.strap) == ("We did it!", "Thanks to all of you")


@pytest.mark.parametrize("words", ["self-made 3:2 win", "play at 20:30", "v1.5 is out"])
def test_marks_within_a_word_break_nothing(words: str) -> None:
    assert speech_of(a_kit(tone="casual"), words).headline == words


@pytest.mark.parametrize("words", ["", "🎮🔥", "日本語"])
def test_words_that_cannot_be_drawn_say_nothing(words: str) -> None:
    speech = speech_of(a_kit(), words)

    assert (speech.headline, speech.strap) == ("", "")
