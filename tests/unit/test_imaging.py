"""What comes out is exactly right: size, mode, format, bytes, and the part of the picture that matters."""

from __future__ import annotations

import asyncio
import threading

import pytest
from PIL import Image, ImageStat

from services.generation.domain import ASSET_DIMENSIONS, AssetType, Picture, RenderFailed
from services.generation.imaging import Imaging, conform
from services.generation.imaging.encoding import THUMBNAIL_BYTES, encode
from services.generation.imaging.fitting import fit
from services.generation.imaging.pngs import read_png
from tests.imaging_parts import a_png, an_overlay, chunk, encoded, error, noise, on, opened, pixel, ramp, with_chunks
from tests.sketches import a_kit

FLAT = [asset_type for asset_type in AssetType if asset_type is not AssetType.OVERLAY]
UPSIDE_DOWN = Image.Exif()
UPSIDE_DOWN[0x0112] = 3
TEXT = chunk(b"tEXt", b"Comment\0made by a model")


@pytest.mark.parametrize(("kind", "asset_type"), [*zip(["PNG", "JPEG", "WEBP", "JPEG"], FLAT, strict=True)])
def test_every_format_becomes_a_png_of_exactly_the_size(kind: str, asset_type: AssetType) -> None:
    picture = conform(encoded(ramp(1344, 768), kind), asset_type)

    image = opened(picture.data)
    assert (image.size, image.mode, image.format) == (ASSET_DIMENSIONS[asset_type], "RGB", "PNG")
    assert picture.content_type == "image/png"


@pytest.mark.parametrize("size", [(1344, 768), (2752, 1536), (640, 360)])
def test_an_overlay_of_every_size_that_models_send_becomes_exact_and_keeps_its_alpha(size: tuple[int, int]) -> None:
    sent = an_overlay(320, 180).resize(size)

    image = opened(conform(encoded(sent), AssetType.OVERLAY).data)

    assert (image.size, image.mode, image.format) == ((1920, 1080), "RGBA", "PNG")
    assert pixel(image, 960, 540) == (0, 0, 0, 0)
    assert error(on(image, "#3060A0"), on(fit(sent, AssetType.OVERLAY), "#3060A0")) < 1


def test_a_picture_a_little_too_high_loses_the_same_at_the_top_and_at_the_bottom() -> None:
    image = opened(conform(encoded(ramp(1344, 768)), AssetType.THUMBNAIL).data)

    # 6 of 768 rows go on each side.
    assert _green(image, row=0) == pytest.approx(255 * 6.5 / 768, abs=1.5)
    assert _green(image, row=719) == pytest.approx(255 * 761.5 / 768, abs=1.5)


@pytest.mark.parametrize("asset_type", FLAT)
@pytest.mark.parametrize("size", [(512, 2048), (2048, 512)])
def test_what_is_cropped_away_goes_on_both_sides_alike_but_less_at_the_top_of_a_story(
    asset_type: AssetType, size: tuple[int, int]
) -> None:
    width, height = ASSET_DIMENSIONS[asset_type]
    scale = min(size[0] / width, size[1] / height)
    lost = (size[0] - width * scale, size[1] - height * scale)
    share_at_the_top = 0.4 if asset_type is AssetType.STORY_GRAPHIC else 0.5

    left, top, _ = pixel(opened(conform(encoded(ramp(*size)), asset_type).data), 0, 0)

    assert left == pytest.approx(255 * lost[0] * 0.5 / size[0], abs=2.5)
    assert top == pytest.approx(255 * lost[1] * share_at_the_top / size[1], abs=2.5)


def test_nothing_of_a_picture_in_the_right_proportions_is_lost() -> None:
    image = opened(conform(encoded(ramp(640, 360)), AssetType.THUMBNAIL).data)

    assert pixel(image, 0, 0)[:2] == pytest.approx((0, 0), abs=2)
    assert pixel(image, 1279, 719)[:2] == pytest.approx((255, 255), abs=2)


@pytest.mark.parametrize("size", [(1, 1), (15, 3000), (3000, 15)])
def test_what_is_smaller_than_a_stamp_is_no_picture(size: tuple[int, int]) -> None:
    with pytest.raises(RenderFailed):
        conform(encoded(Image.new("RGB", size, "#206080")), AssetType.BANNER)


def test_a_stamp_is_enough_and_a_stripe_is_too() -> None:
    for size in ((16, 16), (16, 3000), (3000, 16)):
        image = opened(conform(encoded(Image.new("RGB", size, "#206080")), AssetType.BANNER).data)

        assert image.size == (1200, 480)
        assert pixel(image, 600, 240) == (0x20, 0x60, 0x80)


def test_what_is_right_already_is_handed_back_byte_for_byte() -> None:
    thumbnail = encoded(ramp(1280, 720))
    overlay = encoded(an_overlay(1920, 1080))

    assert conform(thumbnail, AssetType.THUMBNAIL).data is thumbnail
    assert conform(overlay, AssetType.OVERLAY).data is overlay


def test_what_was_made_once_is_not_made_anew() -> None:
    for asset_type in FLAT:
        made = conform(encoded(ramp(1000, 1000), "JPEG"), asset_type)

        assert conform(made.data, asset_type).data is made.data


def test_notes_are_removed_from_what_is_right_already_without_touching_its_pixels() -> None:
    thumbnail = encoded(ramp(1280, 720))
    noted = with_chunks(thumbnail, TEXT, chunk(b"caBX", b"\0" * 5000)) + b"and more"

    assert conform(noted, AssetType.THUMBNAIL).data == thumbnail


@pytest.mark.parametrize(
    "almost",
    [
        encoded(ramp(1280, 720).convert("RGBA")),
        encoded(ramp(1280, 720).convert("L")),
        encoded(ramp(1280, 720).quantize(16)),
        encoded(ramp(1280, 721)),
        a_png(1280, 720, (b"\0" + b"\1\2" * 1280 * 3) * 720, depth=16),
        encoded(ramp(1280, 720), exif=UPSIDE_DOWN),
    ],
    ids=["alpha", "grey", "palette", "a row too many", "16 bits", "exif"],
)
def test_what_is_almost_right_is_made_anew(almost: bytes) -> None:
    made = conform(almost, AssetType.THUMBNAIL).data

    assert made != almost
    assert read_png(made).is_ready((1280, 720), 2)


def test_nothing_but_the_picture_and_its_colour_space_is_in_what_was_made() -> None:
    exif = Image.Exif()
    exif[0x010E] = "where the streamer lives"
    sent = encoded(ramp(800, 800), "JPEG", exif=exif, comment=b"secret", icc_profile=b"junk")

    made = conform(sent, AssetType.CLIP_COVER).data

    assert read_png(made).kinds == {b"IHDR", b"sRGB", b"IDAT", b"IEND"}
    assert b"streamer" not in made and b"secret" not in made


def test_a_thumbnail_that_is_too_large_as_a_png_becomes_the_best_jpeg_that_is_not() -> None:
    sent = noise(1280, 720)

    picture = conform(encoded(sent), AssetType.THUMBNAIL)

    image = opened(picture.data)
    assert (image.size, image.mode, image.format) == ((1280, 720), "RGB", "JPEG")
    assert picture.content_type == "image/jpeg"
    assert THUMBNAIL_BYTES * 0.85 < len(picture.data) <= THUMBNAIL_BYTES
    assert error(image, sent) < error(sent.quantize(256, Image.Quantize.FASTOCTREE).convert("RGB"), sent) / 6


def test_a_thumbnail_that_a_closer_look_makes_small_enough_stays_lossless() -> None:
    sent = _tiled(noise(64, 64), 1280, 720)

    picture = conform(encoded(sent), AssetType.THUMBNAIL)

    assert picture.content_type == "image/png"
    assert len(picture.data) <= THUMBNAIL_BYTES
    assert error(opened(picture.data), sent) == 0


def test_only_thumbnails_are_bounded() -> None:
    picture = conform(encoded(noise(1080, 1080)), AssetType.CLIP_COVER)

    assert len(picture.data) > THUMBNAIL_BYTES
    assert picture.content_type == "image/png"


def test_a_picture_that_was_made_wrong_never_leaves() -> None:
    with pytest.raises(RenderFailed) as caught:
        encode(ramp(1280, 719), AssetType.THUMBNAIL)

    assert caught.value.failure.reason == "INTERNAL"


def test_transparency_that_was_not_asked_for_is_laid_on_black() -> None:
    half = Image.new("RGBA", (300, 300), (200, 100, 50, 128))

    image = opened(conform(encoded(half), AssetType.CLIP_COVER).data)

    assert pixel(image, 540, 540) == (100, 50, 25)


async def test_pictures_are_conformed_beside_the_event_loop_and_few_at_a_time() -> None:
    before = threading.active_count()
    imaging = Imaging(workers=2)
    sent = encoded(ramp(1344, 768))
    many = asyncio.gather(*(imaging.conform(sent, AssetType.THUMBNAIL, a_kit()) for _ in range(5)))

    turns = 0
    while not many.done():
        await asyncio.sleep(0.001)
        turns += 1

    assert await many == [conform(sent, AssetType.THUMBNAIL, a_kit())] * 5
    assert turns > 5
    assert threading.active_count() <= before + 2


async def test_a_picture_that_cannot_be_used_is_refused_beside_the_event_loop_too() -> None:
    with pytest.raises(RenderFailed) as caught:
        await Imaging().conform(b"junk", AssetType.BANNER, a_kit())

    assert caught.value.failure.reason == "INVALID_IMAGE"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_is_measured_whether_or_not_anything_was_done_to_it(kind: str) -> None:
    sent = encoded(Image.new("RGB", (1280, 720), "#00FF00"), kind)

    picture = conform(sent, AssetType.THUMBNAIL, a_kit())

    assert (picture.data is sent) is (kind == "PNG")
    assert picture.palette_distance is not None and picture.palette_distance > 50
    assert conform(sent, AssetType.THUMBNAIL).palette_distance is None


def test_a_picture_is_the_same_whenever_it_is_conformed() -> None:
    sent = encoded(ramp(900, 700), "WEBP")

    assert isinstance(conform(sent, AssetType.BANNER), Picture)
    assert conform(sent, AssetType.BANNER) == conform(sent, AssetType.BANNER)


def _green(image: Image.Image, row: int) -> float:
    return ImageStat.Stat(image.crop((0, row, image.width, row + 1))).mean[1]


def _tiled(tile: Image.Image, width: int, height: int) -> Image.Image:
    image = Image.new("RGB", (width, height))
    for x in range(0, width, tile.width):
        for y in range(0, height, tile.height):
            image.paste(tile, (x, y))
    return image
