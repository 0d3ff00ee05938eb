"""The distance to a brand is a distance: never below nothing, and the same from every side."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from services.generation.domain import BrandKitContext
from services.generation.imaging.palette import palette_distance
from tests.sketches import a_kit

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")
PRIMARIES = st.lists(COLORS, min_size=1, max_size=5, unique=True).map(tuple)
ACCENTS = st.lists(COLORS, max_size=3, unique=True).map(tuple)
KITS = st.builds(lambda primary, accent: a_kit(primary_colors=primary, accent_colors=accent), PRIMARIES, ACCENTS)
NEARLY = 2.0
"""Of two pictures that differ at the edges of their shapes alone."""


def tiles(colors: list[str], size: tuple[int, int] = (512, 512)) -> Image.Image:
    """Sixteen tiles, of these colours in turn."""
    small = Image.new("RGB", (4, 4))
    for number in range(16):
        small.paste(colors[number % len(colors)], (number % 4, number // 4, number % 4 + 1, number // 4 + 1))
    return small.resize(size, Image.Resampling.NEAREST)


PICTURES = st.lists(COLORS, min_size=1, max_size=16).map(tiles)


def distance(image: Image.Image, kit: BrandKitContext) -> float:
    measured = palette_distance(image, kit)
    assert measured is not None
    return measured


@settings(deadline=None, max_examples=60)
@given(st.binary(min_size=48, max_size=48), st.sampled_from(["RGB", "RGBA"]), KITS)
def test_it_is_a_number_and_never_below_nothing(pixels: bytes, mode: str, kit: BrandKitContext) -> None:
    image = Image.frombytes(mode, (48 // len(mode), 1), pixels).resize((640, 360), Image.Resampling.BICUBIC)

    measured = palette_distance(image, kit)

    assert (measured is None) is (mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0))
    assert measured is None or (0 <= measured < 130 and math.isfinite(measured) and round(measured, 1) == measured)


@settings(deadline=None, max_examples=40)
@given(PICTURES, KITS)
def test_a_mirror_changes_nothing(image: Image.Image, kit: BrandKitContext) -> None:
    straight = distance(image, kit)

    assert distance(ImageOps.mirror(image), kit) == pytest.approx(straight, abs=0.11)
    assert distance(ImageOps.flip(image), kit) == pytest.approx(straight, abs=0.11)


@settings(deadline=None, max_examples=40)
@given(PICTURES, KITS, st.integers(300, 1500), st.integers(300, 1500))
def test_another_size_changes_next_to_nothing(
    image: Image.Image, kit: BrandKitContext, width: int, height: int
) -> None:
    scaled = image.resize((width, height), Image.Resampling.NEAREST)

    assert distance(scaled, kit) == pytest.approx(distance(image, kit), abs=NEARLY)


@settings(deadline=None, max_examples=40)
@given(PICTURES, KITS, st.randoms(use_true_random=False))
def test_in_which_order_a_kit_names_its_colours_does_not_matter(
    image: Image.Image, kit: BrandKitContext, dice: random.Random
) -> None:
    primaries, accents = list(kit.primary_colors), list(kit.accent_colors)
    dice.shuffle(primaries)
    dice.shuffle(accents)

    shuffled = replace(kit, primary_colors=tuple(primaries), accent_colors=tuple(accents))

    assert distance(image, shuffled) == pytest.approx(distance(image, kit), abs=0.11)


@settings(deadline=None, max_examples=60)
@given(KITS)
def test_a_picture_of_the_kits_own_colours_is_at_next_to_no_distance(kit: BrandKitContext) -> None:
    assert distance(tiles([*kit.primary_colors, *kit.accent_colors]), kit) <= NEARLY


@settings(deadline=None, max_examples=40)
@given(KITS, COLORS)
def test_the_more_of_it_is_of_the_brand_the_nearer_it_is(kit: BrandKitContext, stranger: str) -> None:
    brand = [*kit.primary_colors, *kit.accent_colors]
    pictures = [tiles((brand * 16)[:own] + [stranger] * (16 - own)) for own in (8, 12, 16)]

    most, some, least = (distance(image, kit) for image in reversed(pictures))

    assert most <= some + NEARLY and some <= least + NEARLY
