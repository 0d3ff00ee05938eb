"""Colours: arithmetic, contrast, and the roles of a kit's colours."""

from __future__ import annotations

from random import Random

import pytest

from services.generation.providers.sketching.palette import (
    BLACK,
    LEGIBLE,
    WHITE,
    contrast,
    luminance,
    mix,
    palette_of,
    parse,
    plate_color,
    readable,
    toned,
    worst_contrast,
)
from tests.sketches import a_kit


def test_a_colour_is_read_from_its_six_digits() -> None:
    assert parse("#FF8001") == (255, 128, 1)


def test_black_on_white_has_the_greatest_contrast_there_is() -> None:
    assert contrast(luminance(BLACK), luminance(WHITE)) == pytest.approx(21)


def test_contrast_agrees_with_the_wcag_example_that_just_fails() -> None:
    assert contrast(luminance(parse("#777777")), luminance(WHITE)) == pytest.approx(4.48, abs=0.01)


def test_a_mix_goes_from_one_colour_to_the_other() -> None:
    assert mix(BLACK, WHITE, 0) == BLACK
    assert mix(BLACK, WHITE, 1) == WHITE
    assert mix(BLACK, WHITE, 0.5) == (128, 128, 128)


def test_toning_keeps_the_hue() -> None:
    red, green, blue = toned(parse("#FF0055"), 0.2)

    assert red > blue > green


def test_a_colour_that_reads_already_is_left_alone() -> None:
    assert readable(WHITE, 0.0, 0.1) == WHITE


def test_a_colour_is_moved_no_further_than_it_must_be_to_be_read() -> None:
    pink = parse("#FF0055")

    moved = readable(pink, 0.0, 0.1)

    assert moved is not None
    assert LEGIBLE <= worst_contrast(moved, 0.0, 0.1) < LEGIBLE * 1.3


def test_no_colour_reads_on_everything() -> None:
    assert readable(parse("#FF0055"), 0.0, 1.0) is None


def test_a_kit_leads_with_its_own_colours() -> None:
    palette = palette_of(a_kit(primary_colors=("#FF0055",)), Random(1))

    assert palette.primary == parse("#FF0055")
    assert palette.accent == parse("#00E5FF")


def test_which_of_two_primaries_leads_differs_from_picture_to_picture() -> None:
    leading = {palette_of(a_kit(), Random(seed)).primary for seed in range(20)}

    assert leading == {parse("#FF0055"), parse("#1A1A2E")}


@pytest.mark.parametrize("color", ["#000000", "#FFFFFF", "#FFD400", "#0000FF", "#808080"])
def test_a_kit_of_one_colour_still_has_an_accent_that_stands_out(color: str) -> None:
    palette = palette_of(a_kit(primary_colors=(color,), accent_colors=()), Random(1))

    assert contrast(luminance(palette.accent), luminance(palette.primary)) > 1.8


def test_a_plate_is_of_the_accent_itself_where_words_read_on_that() -> None:
    assert plate_color(palette_of(a_kit(), Random(1))) == parse("#00E5FF")


def test_a_plate_of_middle_grey_is_changed_until_words_read_on_it() -> None:
    palette = palette_of(a_kit(accent_colors=("#757575",)), Random(1))

    on = luminance(plate_color(palette))

    assert palette.accent == parse("#757575")
    assert max(contrast(luminance(ink), on) for ink in (palette.pale, palette.deep)) > LEGIBLE
