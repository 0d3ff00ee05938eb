"""How near a picture comes to a brand's colours, in pictures that anybody can judge."""

from __future__ import annotations

import pytest
from PIL import Image, ImageFilter

from services.generation.domain import AssetType
from services.generation.imaging.palette import palette_distance
from services.generation.providers.sketching.drawing import draw
from tests.imaging_parts import noise
from tests.sketches import a_kit, a_request

PINK, NIGHT, CYAN = "#FF0055", "#1A1A2E", "#00E5FF"
GREEN, SKIN, GREY = "#00AA22", "#C99B80", "#808080"
KIT = a_kit(primary_colors=(PINK, NIGHT), accent_colors=(CYAN,))
STRANGERS_KIT = a_kit(primary_colors=(GREEN, "#FFD400"), accent_colors=("#FFFFFF",))


def bands(*colors: str, size: tuple[int, int] = (1280, 720)) -> Image.Image:
    """As many equal bands, from left to right."""
    small = Image.new("RGB", (len(colors), 1))
    for number, color in enumerate(colors):
        small.paste(color, (number, 0, number + 1, 1))
    return small.resize(size, Image.Resampling.NEAREST)


def distance(image: Image.Image) -> float:
    measured = palette_distance(image, KIT)
    assert measured is not None
    return measured


def test_a_picture_of_exactly_the_brands_colours_is_at_no_distance() -> None:
    assert distance(bands(PINK, NIGHT, CYAN, PINK)) == 0


def test_a_picture_of_other_colours_is_far_away() -> None:
    assert distance(bands("#00FFAA", "#FFD400")) > 40
    assert palette_distance(Image.new("RGB", (1280, 720), GREEN), a_kit(primary_colors=(PINK,), accent_colors=())) > 60  # type: ignore[operator]


def test_every_colour_that_is_missing_costs() -> None:
    assert distance(bands(PINK, NIGHT, CYAN)) < distance(bands(PINK, NIGHT)) < distance(bands(PINK))


def test_a_missing_accent_costs_less_than_a_missing_primary() -> None:
    assert distance(bands(PINK, NIGHT)) < distance(bands(CYAN, NIGHT))


def test_the_more_is_strange_the_further_away_it_is() -> None:
    brand = (PINK, NIGHT, CYAN)

    distances = [distance(bands(*brand, *[GREEN] * strange)) for strange in range(5)]

    assert distances == sorted(set(distances))


def test_greys_and_skin_cost_little_beside_what_is_plainly_of_another_colour() -> None:
    grey, skin, green = (distance(bands(PINK, NIGHT, CYAN, *[other] * 3)) for other in (GREY, SKIN, GREEN))

    assert 0 < grey < skin < green / 3


def test_an_accent_may_be_small_and_a_speck_is_nothing() -> None:
    picture = bands(PINK, NIGHT)
    without = distance(picture)
    picture.paste(CYAN, (0, 0, 40, 40))
    with_a_speck = distance(picture)
    picture.paste(CYAN, (0, 0, 120, 120))

    assert distance(picture) < 1 < with_a_speck <= without


@pytest.mark.parametrize("asset_type", AssetType)
def test_what_is_drawn_from_a_kit_is_nearer_to_it_than_to_a_strangers(asset_type: AssetType) -> None:
    for seed in (7, 8, 9):
        sketch = draw(a_request(asset_type, brand_kit=KIT, seed=seed)).image

        near, far = palette_distance(sketch, KIT), palette_distance(sketch, STRANGERS_KIT)

        assert near is not None and far is not None
        assert near < 15 and near < far


def test_a_blurred_and_noisy_photograph_of_the_brand_is_near_it() -> None:
    photograph = bands(PINK, NIGHT, CYAN, NIGHT).filter(ImageFilter.GaussianBlur(20))
    photograph = Image.blend(photograph, noise(1280, 720), 0.15)

    assert distance(photograph) < 10 < distance(Image.blend(bands(GREEN, "#FFD400"), noise(1280, 720), 0.15))


def test_of_an_overlay_only_what_is_seen_counts() -> None:
    overlay = Image.new("RGBA", (1920, 1080), (0, 255, 0, 0))
    overlay.paste(bands(PINK, NIGHT, CYAN, size=(1920, 120)), (0, 0))

    assert distance(overlay) < 0.5


def test_what_is_half_transparent_counts_half() -> None:
    def overlay(alpha: int) -> Image.Image:
        image = bands(PINK, NIGHT, CYAN, GREEN, size=(1920, 1080)).convert("RGBA")
        image.putalpha(
            bands("#FFFFFF", "#FFFFFF", "#FFFFFF", f"#{alpha:02X}0000").getchannel("R").resize(image.size, 0)
        )
        return image

    distances = [distance(overlay(alpha)) for alpha in (0, 85, 170, 255)]

    assert distances[0] == 0
    assert distances == sorted(set(distances))


def test_a_picture_of_which_nothing_is_seen_has_no_palette() -> None:
    assert palette_distance(Image.new("RGBA", (1920, 1080), (255, 0, 85, 0)), KIT) is None
