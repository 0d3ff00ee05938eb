"""Whatever an image API returned: it is read as it was meant, or refused; it never hurts."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image, ImageCms, ImageOps

from services.generation.imaging.decoding import decode
from services.generation.imaging.sniffing import MAX_BYTES, MAX_SCANS, Kind
from tests.imaging_parts import (
    a_png,
    assert_refused,
    cover,
    encoded,
    error,
    noise,
    opened,
    pixel,
    ramp,
)
from tests.pictures import a_jpeg_of_scans


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"<html>502 Bad Gateway</html>",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(10),
        encoded(ramp(8, 8), "GIF"),
        encoded(ramp(8, 8), "BMP"),
        encoded(ramp(8, 8), "TIFF"),
        encoded(ramp(8, 8), "PPM"),
        b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>',
    ],
    ids=["nothing", "zero", "html", "png only", "jpeg only", "webp only", "webp of zeros", "gif", "bmp", "tiff",
         "ppm", "svg"],
)  # fmt: skip
def test_what_is_no_png_jpeg_or_webp_is_refused(data: bytes) -> None:
    assert_refused(data)


def test_a_jpeg_of_many_more_scans_than_encoders_make_is_refused() -> None:
    assert cover(a_jpeg_of_scans(MAX_SCANS)).size == (1080, 1080)

    assert_refused(a_jpeg_of_scans(MAX_SCANS + 1))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_picture_that_was_cut_off_is_refused(kind: str, share: float) -> None:
    whole = encoded(ramp(300, 300), kind)

    assert_refused(whole[: int(len(whole) * share)])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(kind: str) -> None:
    assert_refused(_claiming(kind, 16_000, 8_000))


def test_too_many_bytes_are_refused() -> None:
    assert_refused(encoded(ramp(60, 60)) + bytes(MAX_BYTES))


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("RGBA", "PNG"), ("I;16", "PNG"), ("L", "JPEG"), ("CMYK", "JPEG"),
     ("L", "WEBP"), ("RGBA", "WEBP")],
)  # fmt: skip
def test_every_mode_is_read_as_it_was_meant(mode: str, kind: str) -> None:
    grey = Image.new("L", (50, 50), 160)
    grey.paste(0, (0, 0, 25, 50))
    sent = grey.convert("I").point(lambda level: level * 257).convert(mode) if mode == "I;16" else grey.convert(mode)

    image = cover(encoded(sent, kind))

    assert pixel(image, 100, 540) == pytest.approx((0, 0, 0), abs=3)
    assert pixel(image, 810, 540) == pytest.approx((160, 160, 160), abs=3)


def test_fine_black_and_white_is_averaged() -> None:
    lines = Image.frombytes("1", (2160, 2160), bytes([0b10101010]) * (270 * 2160))

    assert pixel(cover(encoded(lines)), 540, 540) == pytest.approx((128, 128, 128), abs=2)


def test_black_and_white_is_read_as_it_was_meant() -> None:
    sent = Image.new("1", (50, 50), 1)
    sent.paste(0, (0, 0, 25, 50))

    image = cover(encoded(sent))

    assert (pixel(image, 100, 540), pixel(image, 900, 540)) == ((0, 0, 0), (255, 255, 255))


def test_sixteen_bits_a_channel_are_read_as_they_were_meant() -> None:
    levels = b"".join(level.to_bytes(2, "big") for level in (0x40FF, 0x8000, 0xFFFF))

    image = cover(a_png(20, 20, (b"\0" + levels * 20) * 20, depth=16))

    assert pixel(image, 500, 500) == pytest.approx((0x40, 0x80, 0xFF), abs=1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_much_larger_than_needed_is_made_smaller_on_the_way_and_looks_the_same(kind: str) -> None:
    detail = Image.blend(ramp(1280, 720), noise(320, 180).resize((1280, 720)), 0.4)
    sent = opened(encoded(detail, kind, **({} if kind == "PNG" else {"quality": 95})))

    image = decode(encoded(detail, kind, **({} if kind == "PNG" else {"quality": 95})), Kind(kind), (160, 90))

    assert image.size == (160 * 4, 90 * 4)
    small = image.resize((160, 90), Image.Resampling.LANCZOS)
    assert error(small, sent.resize((160, 90), Image.Resampling.LANCZOS)) < 2


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_colour_that_stands_for_transparency_is_transparent(mode: str) -> None:
    image = Image.new(mode, (40, 40), "#F0F0F0")
    image.paste("#606060", (20, 0, 40, 40))

    seen = cover(encoded(image, transparency=240 if mode == "L" else (240, 240, 240)))

    assert (pixel(seen, 200, 540), pixel(seen, 900, 540)) == ((0, 0, 0), (0x60, 0x60, 0x60))


@pytest.mark.parametrize("how", [{"transparency": 0}, {"transparency": bytes([0, 255])}])
def test_a_transparent_entry_of_a_palette_is_transparent(how: dict[str, Any]) -> None:
    image = Image.new("P", (40, 40), 0)
    image.putpalette([250, 250, 250, 10, 200, 30])
    image.paste(1, (20, 0, 40, 40))

    seen = cover(encoded(image, **how))

    assert pixel(seen, 200, 540) == (0, 0, 0)
    assert pixel(seen, 900, 540) == (10, 200, 30)


@pytest.mark.parametrize(
    ("kind", "orientation"), [*(("JPEG", orientation) for orientation in range(1, 9)), ("PNG", 6), ("WEBP", 6)]
)
def test_a_picture_stands_as_its_orientation_says(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    sent = encoded(ramp(300, 200), kind, exif=exif, **({"quality": 95} if kind != "PNG" else {}))
    upright = ImageOps.exif_transpose(opened(sent))

    image = cover(sent)

    side = min(upright.size)
    left, top = (upright.width - side) // 2, (upright.height - side) // 2
    square = upright.crop((left, top, left + side, top + side)).convert("RGB")
    assert error(image, square.resize(image.size, Image.Resampling.LANCZOS)) < 3


def test_a_picture_on_its_side_is_made_smaller_to_the_size_it_will_have_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    sent = ramp(1600, 400)

    for kind in (Kind.JPEG, Kind.PNG):
        assert decode(encoded(sent, kind, exif=exif), kind, (60, 240)).size == (200, 800)


@pytest.mark.parametrize(("mode", "kind"), [("RGB", "PNG"), ("RGBA", "PNG"), ("RGB", "JPEG"), ("RGB", "WEBP")])
def test_colours_are_what_the_profile_says(mode: str, kind: str) -> None:
    red = Image.new(mode, (40, 40), (200, 60, 60))
    as_it_is = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red_is_green = as_it_is.replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ").replace(b"____", b"gXYZ")

    assert _seen(encoded(red, kind, icc_profile=as_it_is)) == pytest.approx((200, 60, 60), abs=2)
    assert _seen(encoded(red, kind, icc_profile=red_is_green)) == pytest.approx((60, 200, 60), abs=2)


def test_a_profile_for_other_pixels_than_these_says_nothing_about_them() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()

    assert _seen(encoded(Image.new("RGB", (40, 40), (200, 60, 60)), icc_profile=lab)) == (200, 60, 60)


@pytest.mark.parametrize(
    ("kind", "profile"), [("PNG", b"junk"), ("PNG", b"\xff" * 5000), ("JPEG", b"\0" * 200), ("WEBP", b"\xff" * 5000)]
)
def test_a_broken_profile_is_ignored(kind: str, profile: bytes) -> None:
    sent = encoded(Image.new("RGB", (40, 40), (200, 60, 60)), kind, icc_profile=profile)

    assert _seen(sent) == pytest.approx((200, 60, 60), abs=2)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in ("#10E020", "#E01010", "#1010E0")]
    sent = encoded(
        frames[0], kind, save_all=True, append_images=frames[1:], **({"lossless": True} if kind == "WEBP" else {})
    )

    assert pixel(cover(sent), 500, 500) == (0x10, 0xE0, 0x20)


def _claiming(kind: str, width: int, height: int) -> bytes:
    """A small file that claims to be large."""
    if kind == "PNG":
        return a_png(width, height, bytes(60 * (1 + 60 * 3)))
    if kind == "WEBP":
        extended = b"VP8X" + (10).to_bytes(4, "little") + bytes(4)
        extended += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        frame = encoded(ramp(60, 60), "WEBP")[12:]
        return b"RIFF" + (4 + len(extended) + len(frame)).to_bytes(4, "little") + b"WEBP" + extended + frame
    data = bytearray(encoded(ramp(60, 60), "JPEG"))
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(data)


def _seen(data: bytes) -> tuple[int, ...]:
    return pixel(cover(data), 540, 540)
