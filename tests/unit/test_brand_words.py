"""A brand in words: colours by name, typefaces by their letters, tones by what they look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.colors import delta_e_2000, lab, parse_hex
from services.prompt.brand_words import direction, letters, palette
from services.prompt.brand_words.color_names import COLOR_NAMES
from services.prompt.brand_words.colors import nearest_name
from services.prompt.brand_words.typeface_table import TYPEFACES
from services.prompt.domain import Tone

COLORS = st.from_regex(r"\A#[0-9A-Fa-f]{6}\Z")


def distance(one: str, other: str) -> float:
    return delta_e_2000(lab(parse_hex(one)), lab(parse_hex(other)))


@given(COLORS)
def test_no_known_colour_looks_more_like_it_than_the_one_it_is_named_by(color: str) -> None:
    chosen = distance(color, COLOR_NAMES[nearest_name(color)])

    assert chosen == min(distance(color, known) for known in COLOR_NAMES.values())


@pytest.mark.parametrize("name", COLOR_NAMES)
def test_a_known_colour_has_its_own_name(name: str) -> None:
    assert nearest_name(COLOR_NAMES[name]) == name
    assert nearest_name(COLOR_NAMES[name].lower()) == name


def test_a_palette_names_every_colour_and_keeps_it_as_it_was_given() -> None:
    assert palette(["#B00020", "#1a0b2e", "#FFFFFF"]) == (
        "deep crimson (#B00020), purple-black (#1a0b2e), white (#FFFFFF)"
    )
    assert palette([]) == ""


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("Montserrat", "a geometric sans serif, wide, with even strokes"),
        ("montserrat  ExtraBold", "a geometric sans serif, wide, with even strokes, heavy"),
        ("Press Start 2P", "square pixel letters of an eight-bit arcade game"),
        ("PressStart2P", "square pixel letters of an eight-bit arcade game"),
        ("VT323", "narrow pixel letters of an old computer terminal"),
        ("Roboto Mono", "a monospaced sans serif, each letter in a box of one width"),
        ("Exo 2 Italic", "a futuristic geometric sans serif with softly cut corners, slanted"),
        ("Acme Mono", "monospaced letters"),
        ("AcmeScript", "a flowing script"),
        ("Acme Serif", "a serif with contrasting strokes"),
        ("Acme Sans", "a clean sans serif"),
        ("Acme Slab Condensed Black", "a slab serif with square feet, narrow and heavy"),
        ("My Pixel Font", "pixel letters"),
        ("Acme Thin", "clean, legible letters, thin"),
        ("Zyx", "clean, legible letters"),
        ("日本語", "clean, legible letters"),
        ("!!!", "clean, legible letters"),
        ("Seriously", "clean, legible letters"),
    ],
)
def test_a_typeface_is_described_by_what_is_known_of_it_or_by_the_words_of_its_name(name: str, look: str) -> None:
    assert letters(name) == f"{name}, {look}"


@pytest.mark.parametrize("name", TYPEFACES)
def test_every_known_typeface_is_found_by_its_name(name: str) -> None:
    assert letters(name.title()) == f"{name.title()}, {TYPEFACES[name]}"


@given(st.text(max_size=500))
def test_whatever_a_typeface_is_called_its_name_comes_first_and_the_rest_is_ours(name: str) -> None:
    described = letters(name)

    assert described.startswith(f"{name}, ")
    look = described.removeprefix(name)
    assert look.isascii()
    assert len(look) < 200
    assert not set('"{}<>|') & set(look)


def test_every_tone_is_named_and_shown() -> None:
    directions = {direction(tone).removeprefix(f"{tone}, which looks ") for tone in Tone}

    assert len(directions) == len(Tone)
    assert all("light" in look for look in directions)
