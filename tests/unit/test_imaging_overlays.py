"""Overlays get real transparency, or a sentence that says why not."""

from __future__ import annotations

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from chassis.key_colors import KEY_COLOR, key_color_for
from services.generation.domain import AssetType, RenderFailed
from services.generation.failures import failure
from services.generation.imaging import conform
from services.generation.imaging.keying import cut_out
from services.generation.imaging.refusals import CHECKERED, NOT_OPEN, NOTHING_LEFT
from tests.imaging_parts import (
    BLACK,
    BLUE,
    WHITE,
    a_board,
    an_overlay,
    as_jpeg,
    encoded,
    error,
    magenta,
    noise,
    on,
    opened,
    pixel,
    ramp,
    worst,
)

GREEN, CYAN, YELLOW = "#00FF00", "#00FFFF", "#FFFF00"


def why_refused(image: Image.Image) -> str:
    with pytest.raises(RenderFailed) as caught:
        conform(encoded(image), AssetType.OVERLAY)
    said = caught.value.failure
    assert (said.reason, said.stage, said.retryable) == ("INVALID_IMAGE", "render", True)
    return said.message


@pytest.mark.parametrize("key", [KEY_COLOR, GREEN, "#0000FF", CYAN, YELLOW])
def test_a_keyed_overlay_looks_like_the_one_that_was_meant_on_every_ground(key: str) -> None:
    # Nothing of it is like a key.
    meant = an_overlay().convert("RGB").convert("L").convert("RGB").convert("RGBA")
    meant.putalpha(an_overlay().getchannel("A"))

    cut = cut_out(on(meant, key))

    for ground in (BLACK, WHITE, BLUE):
        assert error(on(cut, ground), on(meant, ground)) < 3


def test_colours_and_soft_edges_survive_the_key() -> None:
    meant = an_overlay()

    cut = cut_out(on(meant, KEY_COLOR))

    for ground in (BLACK, WHITE, BLUE):
        assert error(on(cut, ground), on(meant, ground)) < 8


def test_no_edge_keeps_any_magenta_even_in_a_jpeg() -> None:
    meant = an_overlay()

    for painted, most in ((on(meant, KEY_COLOR), 24), (as_jpeg(on(meant, KEY_COLOR)), 40)):
        cut = cut_out(painted)
        for ground in (BLACK, WHITE):
            assert worst(magenta(on(cut, ground))) <= most


@pytest.mark.parametrize("color", ["#00FF00", "#FFFF00", "#00FFFF", "#808080", "#000000"])
def test_a_blurred_edge_of_any_colour_is_as_soft_as_it_was_meant(color: str) -> None:
    meant = Image.new("RGBA", (200, 200))
    meant.paste(color, (0, 0, 200, 30))
    soft = meant.convert("RGBa").filter(ImageFilter.GaussianBlur(1.5)).convert("RGBA")

    cut = cut_out(on(soft, KEY_COLOR))

    for ground in (BLACK, WHITE, BLUE):
        assert error(on(cut, ground), on(soft, ground)) < 2


def test_what_hardly_shows_has_the_colour_of_what_it_belongs_to() -> None:
    meant = Image.new("RGBA", (200, 200))
    ImageDraw.Draw(meant).ellipse((20, 4, 180, 40), fill=WHITE)

    cut = cut_out(as_jpeg(on(meant, KEY_COLOR)))

    assert worst(ImageChops.invert(on(cut, WHITE).convert("L"))) < 65


def test_a_jpeg_of_a_keyed_overlay_comes_close_and_its_opening_is_clean() -> None:
    meant = an_overlay()

    cut = cut_out(as_jpeg(on(meant, KEY_COLOR)))

    for ground in (BLACK, WHITE, BLUE):
        assert error(on(cut, ground), on(meant, ground)) < 50
    assert worst(cut.getchannel("A").crop((300, 200, 900, 480))) == 0


def test_a_glow_fades_out_as_it_was_meant_to() -> None:
    meant = an_overlay(glow="#4040F0")

    cut = cut_out(on(meant, KEY_COLOR))

    across = [pixel(cut, x, 270)[3] for x in range(50, 80)]
    assert across == sorted(across, reverse=True)
    assert across == pytest.approx([pixel(meant, x, 270)[3] for x in range(50, 80)], abs=12)


def test_a_wide_shadow_is_made_of_darkness_alone() -> None:
    meant = Image.new("RGBA", (800, 450))
    meant.paste(BLACK, (0, 0, 800, 40))
    soft = meant.convert("RGBa").filter(ImageFilter.GaussianBlur(16)).convert("RGBA")

    cut = cut_out(on(soft, KEY_COLOR))

    assert worst(magenta(on(cut, WHITE))) <= 12
    assert error(on(cut, WHITE), on(soft, WHITE)) < 6


def test_the_key_is_what_was_painted_not_what_was_asked_for() -> None:
    meant = an_overlay()

    for painted in ("#E6149B", "#F01CE6", "#C81EC8"):
        cut = cut_out(on(meant, painted))

        assert worst(cut.getchannel("A").crop((300, 200, 900, 480))) == 0
        assert error(on(cut, BLUE), on(meant, BLUE)) < 25


def test_a_noisy_key_leaves_no_dust() -> None:
    painted = ImageChops.add(on(an_overlay(), KEY_COLOR), noise(960, 540, 0.08), 1, -128)

    alpha = cut_out(painted).getchannel("A").crop((300, 200, 900, 480))

    assert sum(alpha.histogram()[9:]) < 0.001 * alpha.width * alpha.height


def test_a_colour_like_the_key_stays_inside_of_a_shape() -> None:
    meant = an_overlay()
    meant.paste("#7030C0", (200, 8, 400, 32))

    cut = cut_out(on(meant, KEY_COLOR))

    assert pixel(cut, 300, 20) == (0x70, 0x30, 0xC0, 255)


def test_what_is_transparent_holds_no_colour() -> None:
    cut = cut_out(on(an_overlay(), KEY_COLOR))

    assert pixel(cut, 480, 300) == (0, 0, 0, 0)


def test_an_overlay_with_an_alpha_channel_but_a_painted_middle_is_keyed_all_the_same() -> None:
    meant = an_overlay(1920, 1080)
    painted = on(meant, KEY_COLOR).convert("RGBA")
    painted.paste((0, 0, 0, 0), (400, 200, 500, 300))

    image = opened(conform(encoded(painted), AssetType.OVERLAY).data)

    assert error(on(image, BLUE), on(meant, BLUE)) < 8
    assert pixel(image, 450, 250)[3] == pixel(image, 960, 540)[3] == 0


def test_real_transparency_is_kept_whatever_colours_the_overlay_has() -> None:
    meant = Image.new("RGBA", (1280, 720))
    meant.paste("#FF00FF", (0, 0, 1280, 80))

    image = opened(conform(encoded(meant, "WEBP", lossless=True), AssetType.OVERLAY).data)

    assert pixel(image, 960, 60) == (255, 0, 255, 255)
    assert pixel(image, 960, 540)[3] == 0


@pytest.mark.parametrize("sent", [
    ramp(960, 540), noise(960, 540), Image.new("RGB", (960, 540)), on(an_overlay(), "#101010"),
    on(an_overlay(), WHITE), Image.new("L", (64, 64), 128), an_overlay().convert("LA").convert("L"),
    Image.new("RGB", (960, 540), KEY_COLOR).filter(ImageFilter.GaussianBlur(0)).convert("L"),
], ids=["ramp", "noise", "black", "dark middle", "white middle", "grey", "flattened", "grey key"])  # fmt: skip
def test_an_overlay_without_an_opening_is_refused_with_a_sentence(sent: Image.Image) -> None:
    assert why_refused(sent) == NOT_OPEN


def test_a_middle_that_is_keyed_only_in_part_is_refused() -> None:
    painted = on(an_overlay(), KEY_COLOR)
    painted.paste("#202020", (240, 135, 240 + 215, 405))

    assert why_refused(painted) == NOT_OPEN


def test_an_overlay_that_is_nothing_but_key_is_refused() -> None:
    assert why_refused(Image.new("RGB", (960, 540), KEY_COLOR)) == NOTHING_LEFT
    assert why_refused(Image.new("RGBA", (1920, 1080))) == NOTHING_LEFT


@pytest.mark.parametrize(("cell", "tones"), [(8, (255, 204)), (16, (255, 235)), (37, (153, 102)), (60, (70, 45))])
def test_a_painted_checkerboard_is_told_apart_and_refused(cell: int, tones: tuple[int, int]) -> None:
    board = a_board(960, 540, cell, tones)
    painted = Image.alpha_composite(board.convert("RGBA"), an_overlay()).convert("RGB")

    assert why_refused(painted) == CHECKERED
    assert why_refused(as_jpeg(painted, 75)) == CHECKERED
    assert why_refused(painted.rotate(1.5, Image.Resampling.BICUBIC)) == CHECKERED


def test_stripes_and_textures_are_no_checkerboard() -> None:
    stripes = a_board(960, 540, 16).resize((960, 1), Image.Resampling.NEAREST).resize((960, 540))

    assert why_refused(stripes) == NOT_OPEN
    assert why_refused(noise(960, 540).convert("L")) == NOT_OPEN


def test_the_sentences_are_not_the_usual_one() -> None:
    assert len({NOT_OPEN, CHECKERED, NOTHING_LEFT, failure("INVALID_IMAGE").message}) == 4


@pytest.mark.parametrize(
    ("colors", "key"),
    [
        ([], KEY_COLOR),
        (["#000000", "#FFFFFF", "#FF0000"], KEY_COLOR),
        (["#00FF00"], KEY_COLOR),
        (["#FF00FF"], GREEN),
        (["#FF1493", "#101010"], GREEN),
        (["#9146FF"], GREEN),
        (["#00FFFF"], GREEN),
        (["#9146FF", "#00FF00"], CYAN),
        (["#FF00FF", "#00FF00", "#00FFFF"], "#0000FF"),
    ],
)
def test_the_key_is_one_that_can_be_told_from_the_brand(colors: list[str], key: str) -> None:
    assert key_color_for(colors) == key
