"""Ink: chosen from the pixels behind it, which are veiled when no ink would do."""

from __future__ import annotations

from random import Random

import pytest
from PIL import Image

from services.generation.providers.sketching.canvas import Canvas
from services.generation.providers.sketching.legibility import paper_at, quieten
from services.generation.providers.sketching.palette import (
    BLACK,
    LEGIBLE,
    WHITE,
    Color,
    Palette,
    contrast,
    luminance,
    palette_of,
    parse,
)
from tests.sketches import a_kit

BOX = (20, 20, 100, 60)


def a_palette() -> Palette:
    return palette_of(a_kit(), Random(1))


def a_plain_canvas(color: Color) -> Canvas:
    return Canvas(Image.new("RGB", (120, 80), color))


def a_checkered_canvas() -> Canvas:
    tile = Image.new("RGB", (2, 2), BLACK)
    tile.putpixel((0, 0), WHITE)
    return Canvas(tile.resize((120, 80), Image.Resampling.NEAREST))


def least_contrast(canvas: Canvas, ink: Color) -> float:
    colors = canvas.image.crop(BOX).getcolors(maxcolors=100_000)
    assert colors is not None
    return min(contrast(luminance(ink), luminance(color)) for _, color in colors)


@pytest.mark.parametrize("color", ["#000000", "#FFFFFF", "#FFD400", "#12124A"])
def test_a_plain_ground_is_written_on_as_it_is(color: str) -> None:
    canvas = a_plain_canvas(parse(color))

    paper = paper_at(canvas, a_palette(), BOX)

    assert canvas.image.tobytes() == a_plain_canvas(parse(color)).image.tobytes()
    assert least_contrast(canvas, paper.ink) >= LEGIBLE


def test_a_ground_of_black_and_white_is_veiled_until_an_ink_reads_on_it() -> None:
    canvas = a_checkered_canvas()

    paper = paper_at(canvas, a_palette(), BOX)

    assert least_contrast(canvas, paper.ink) >= LEGIBLE


def test_the_contrast_claimed_is_no_better_than_the_pixels_are() -> None:
    canvas = a_plain_canvas(parse("#12124A"))

    paper = paper_at(canvas, a_palette(), BOX)

    assert paper.contrast(paper.ink) <= least_contrast(canvas, paper.ink)


def test_the_loud_ink_is_the_kits_own_colour_where_that_reads() -> None:
    paper = paper_at(a_plain_canvas(BLACK), a_palette(), BOX)

    assert paper.loud_ink(a_palette()) == parse("#00E5FF")


def test_quieting_a_busy_ground_leaves_room_for_loud_ink() -> None:
    canvas = a_checkered_canvas()

    quieten(canvas, a_palette(), BOX, feather=10)

    paper = paper_at(canvas, a_palette(), BOX)
    assert paper.loud_ink(a_palette()) != paper.ink


def test_quieting_leaves_what_is_far_away_alone() -> None:
    canvas = Canvas(a_checkered_canvas().image.resize((480, 320), Image.Resampling.NEAREST))
    corner = (400, 240, 480, 320)
    before = canvas.image.crop(corner).tobytes()

    quieten(canvas, a_palette(), BOX, feather=40)

    assert canvas.image.crop(corner).tobytes() == before
