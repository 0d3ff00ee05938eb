"""Layouts: where words may stand, and what must stay clear."""

from __future__ import annotations

import pytest

from services.generation.domain import AssetType
from services.generation.providers.sketching.canvas import Box, Canvas, intersection
from services.generation.providers.sketching.drawing import draw
from services.generation.providers.sketching.palette import LEGIBLE
from tests.sketches import TONES, a_kit, a_request

WORDS = ("Friday: all night with viewers and prizes", "lorem " * 80)


def a_sketch(asset_type: AssetType, tone: str, words: str, seed: int = 7) -> Canvas:
    return draw(a_request(asset_type, words, brand_kit=a_kit(tone=tone), seed=seed))


def words_within(canvas: Canvas, box: Box) -> bool:
    return all(intersection(letters.box, box) == letters.box for letters in canvas.lettered)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("tone", TONES)
def test_nothing_is_written_where_the_player_shows_the_length(tone: str, words: str) -> None:
    canvas = a_sketch(AssetType.THUMBNAIL, tone, words)

    duration = (1120, 640, 1280, 720)
    assert canvas.lettered
    assert not any(intersection(letters.box, duration) for letters in canvas.lettered)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("tone", TONES)
def test_a_storys_words_keep_clear_of_the_apps_own_buttons(tone: str, words: str) -> None:
    canvas = a_sketch(AssetType.STORY_GRAPHIC, tone, words)

    assert canvas.lettered
    assert words_within(canvas, (0, round(0.14 * 1920), 1080, round(0.8 * 1920)))


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("tone", TONES)
def test_a_banners_words_stand_in_the_middle_every_device_shows(tone: str, words: str) -> None:
    canvas = a_sketch(AssetType.BANNER, tone, words)

    assert canvas.lettered
    assert words_within(canvas, (240, 24, 960, 456))


@pytest.mark.parametrize("tone", TONES)
def test_a_clip_covers_words_stay_within_its_frame(tone: str) -> None:
    canvas = a_sketch(AssetType.CLIP_COVER, tone, WORDS[0])

    assert canvas.lettered
    assert words_within(canvas, (60, 60, 1020, 1020))


@pytest.mark.parametrize("words", ["", *WORDS])
@pytest.mark.parametrize("tone", TONES)
def test_an_overlay_leaves_the_game_visible(tone: str, words: str) -> None:
    image = a_sketch(AssetType.OVERLAY, tone, words).image

    alpha = image.getchannel("A")
    assert image.mode == "RGBA"
    assert alpha.crop((480, 270, 1440, 810)).getextrema() == (0, 0)
    assert alpha.getextrema() == (0, 255)


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("tone", TONES)
def test_an_overlays_words_stand_on_its_plate(tone: str, words: str) -> None:
    canvas = a_sketch(AssetType.OVERLAY, tone, words)

    alpha = canvas.image.getchannel("A")
    assert canvas.lettered
    assert all(alpha.crop(letters.box).getextrema() == (255, 255) for letters in canvas.lettered)


@pytest.mark.parametrize("asset_type", AssetType)
@pytest.mark.parametrize("tone", TONES)
def test_without_words_nothing_is_written(tone: str, asset_type: AssetType) -> None:
    canvas = a_sketch(asset_type, tone, "")

    assert canvas.lettered == []


@pytest.mark.parametrize("asset_type", AssetType)
@pytest.mark.parametrize("tone", TONES)
def test_lines_do_not_run_into_each_other(tone: str, asset_type: AssetType) -> None:
    boxes = [letters.box for letters in a_sketch(asset_type, tone, WORDS[0]).lettered]

    assert len(boxes) > 1
    assert not any(intersection(one, other) for place, one in enumerate(boxes) for other in boxes[:place])


@pytest.mark.parametrize("colors", [("#FFFFFF",), ("#000000",), ("#FFFF00", "#0000FF"), ("#808080", "#7F7F7F")])
@pytest.mark.parametrize("tone", TONES)
def test_words_can_be_read_whatever_the_kits_colours(tone: str, colors: tuple[str, ...]) -> None:
    kit = a_kit(tone=tone, primary_colors=colors, accent_colors=())

    canvas = draw(a_request(AssetType.CLIP_COVER, "Can you read this: 100 percent", brand_kit=kit))

    assert all(letters.contrast >= LEGIBLE for letters in canvas.lettered)
