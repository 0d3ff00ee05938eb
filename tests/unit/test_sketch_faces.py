"""Fonts: the right one for a kit, and no boxes in place of letters."""

from __future__ import annotations

import pytest

from services.generation.providers.sketching.faces import (
    GEOMETRIC,
    GROTESK,
    ROUND,
    SLANTED,
    TEXT,
    Face,
    choose_face,
    covers,
    drawable,
)

ALL = (GEOMETRIC, GROTESK, ROUND, SLANTED, TEXT)


@pytest.mark.parametrize(
    ("font", "face"),
    [("Fredoka One", ROUND), ("Bebas Neue", GROTESK), ("Exo 2", SLANTED), ("Open Sans", GEOMETRIC)],
)
def test_a_kit_speaks_in_the_face_nearest_to_its_font(font: str, face: Face) -> None:
    assert choose_face(font, usual=TEXT, words="hello") == face


def test_a_font_nobody_knows_leaves_the_choice_to_the_tone() -> None:
    assert choose_face("Zzyzx Display", usual=ROUND, words="hello") == ROUND


def test_words_a_face_cannot_write_are_written_in_one_that_can() -> None:
    assert choose_face("Fredoka One", usual=SLANTED, words="Привет") == GEOMETRIC


@pytest.mark.parametrize("face", ALL)
@pytest.mark.parametrize("char", ["日", "م", "🎮", "\ue000", "\u0378"])
def test_a_face_does_not_claim_what_it_would_draw_as_a_box(face: Face, char: str) -> None:
    assert not covers(face, char)


@pytest.mark.parametrize("face", ALL)
def test_a_face_covers_the_alphabet_and_the_figures(face: Face) -> None:
    assert all(covers(face, char) for char in "ABCXYZabcxyz0123456789!?&")


@pytest.mark.parametrize(
    ("words", "drawn"),
    [
        ("🔥 live now 🔥", "live now"),
        ("日本語 stream", "stream"),
        ("👩‍👩‍👧 family night", "family night"),
        ("line\none\ttwo", "line one two"),
        ("𝓗𝓮𝓵𝓵𝓸 ｗｏｒｌｄ", "Hello world"),
        ("cafe\u0301", "café"),
        ("z\u0335\u0321a\u0336lgo", "zalgo"),
        ("🎮 | ranked", "ranked"),
    ],
)
def test_what_cannot_be_drawn_is_left_out_and_the_rest_stays(words: str, drawn: str) -> None:
    assert drawable(GEOMETRIC, words) == drawn


@pytest.mark.parametrize("words", ["", "   ", "🎮🔥", "日本語", "مرحبا", "!!! 🎉 ...", "\u200d\ufe0f"])
def test_nothing_is_drawn_of_words_without_a_letter_or_figure_left(words: str) -> None:
    assert drawable(GEOMETRIC, words) == ""


def test_a_letter_loses_its_accent_rather_than_its_place() -> None:
    assert not covers(ROUND, "ạ")
    assert drawable(ROUND, "ạ b") == "a b"
