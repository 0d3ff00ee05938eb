"""What is kept of a picture that a user brings: its pixels, upright, and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import io
import threading
import zlib
from typing import Any

import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from services.storage.converting import PillowConverter
from services.storage.domain import NotAPicture
from services.storage.jpegs import MAX_SCANS
from services.storage.upload_domain import LONGEST_SIDE, MAX_UPLOAD_BYTES, Converted
from tests.pictures import a_jpeg_of_scans, a_picture

RED, BLUE = (255, 0, 0), (0, 0, 255)


def encoded(image: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


async def convert(data: bytes) -> tuple[Converted, Image.Image]:
    converted = await PillowConverter().convert(data)
    image = Image.open(io.BytesIO(converted.data))
    image.load()
    return converted, image


def halves() -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (64, 32), RED)
    image.paste(BLUE, (32, 0, 64, 32))
    return image


def is_near(pixel: Any, color: tuple[int, int, int]) -> bool:
    return all(abs(have - want) < 24 for have, want in zip(pixel, color, strict=True))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
async def test_what_is_opaque_becomes_a_jpeg_that_is_measured(kind: str, mode: str) -> None:
    if (kind, mode) == ("JPEG", "P"):
        mode = "RGB"

    converted, image = await convert(a_picture(120, 80, mode=mode, kind=kind))

    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (120, 80))
    measured = converted.picture
    assert (measured.content_type, measured.width, measured.height) == ("image/jpeg", 120, 80)
    assert measured.file_size == len(converted.data)
    assert measured.sha256 == hashlib.sha256(converted.data).hexdigest()


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
async def test_what_is_transparent_somewhere_becomes_a_png_that_is_so_too(mode: str) -> None:
    converted, image = await convert(a_picture(60, 40, mode=mode))

    assert (converted.picture.content_type, image.format, image.mode) == ("image/png", "PNG", "RGBA")


async def test_an_alpha_channel_that_hides_nothing_is_none() -> None:
    _, image = await convert(encoded(halves().convert("RGBA")))

    assert (image.format, image.mode) == ("JPEG", "RGB")


async def test_one_colour_that_is_transparent_in_a_palette_stays_so() -> None:
    palette = halves().quantize(2)

    _, image = await convert(encoded(palette, transparency=palette.getpixel((0, 0))))

    assert [image.getpixel(at)[3] for at in ((0, 0), (63, 0))] == [0, 255]  # type: ignore[index]


@pytest.mark.parametrize(
    ("orientation", "size", "left_or_top", "right_or_bottom"),
    [
        (1, (64, 32), RED, BLUE),
        (2, (64, 32), BLUE, RED),
        (3, (64, 32), BLUE, RED),
        (4, (64, 32), RED, BLUE),
        (5, (32, 64), RED, BLUE),
        (6, (32, 64), RED, BLUE),
        (7, (32, 64), BLUE, RED),
        (8, (32, 64), BLUE, RED),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_that_lies_on_its_side_is_put_upright(
    kind: str, orientation: int, size: tuple[int, int], left_or_top: Any, right_or_bottom: Any
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation

    _, image = await convert(encoded(halves(), kind, exif=exif))

    assert image.size == size
    assert is_near(image.getpixel((2, 2)), left_or_top)
    assert is_near(image.getpixel((size[0] - 3, size[1] - 3)), right_or_bottom)
    assert ExifTags.Base.Orientation not in image.getexif()


async def test_nothing_that_was_noted_beside_the_pixels_is_kept() -> None:
    exif, notes = Image.Exif(), PngImagePlugin.PngInfo()
    exif[ExifTags.Base.Artist] = "SECRET NAME"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    notes.add_text("Comment", "SECRET NAME")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    see_through = halves().convert("RGBA")
    see_through.putpixel((0, 0), (0, 0, 0, 0))

    for data in (
        encoded(halves(), "JPEG", exif=exif, icc_profile=profile, comment=b"SECRET NAME"),
        encoded(see_through, "PNG", exif=exif, pnginfo=notes, icc_profile=profile),
        encoded(halves(), "WEBP", exif=exif, xmp=b"SECRET NAME", icc_profile=profile),
    ):
        converted, image = await convert(data)

        assert b"SECRET" in data and b"SECRET" not in converted.data
        assert not image.getexif()
        assert not {"icc_profile", "exif", "comment", "xmp", "Comment"} & set(image.info)


async def test_what_hides_behind_a_picture_is_gone() -> None:
    converted, _ = await convert(encoded(halves(), "JPEG") + b"<script>alert(1)</script>PK\x03\x04")

    assert b"script" not in converted.data
    assert converted.data.endswith(b"\xff\xd9")


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
async def test_colours_are_what_the_profile_says(mode: str) -> None:
    red = Image.new(mode, (40, 40), (200, 60, 60))
    as_it_is = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    red_is_green = as_it_is.replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ").replace(b"____", b"gXYZ")

    for profile, color in ((as_it_is, (200, 60, 60)), (red_is_green, (60, 200, 60))):
        _, image = await convert(encoded(red, icc_profile=profile))

        assert is_near(image.getpixel((9, 9)), color)


async def test_a_profile_that_is_broken_or_for_other_pixels_says_nothing() -> None:
    of_lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()

    for profile in (b"junk", b"\xff" * 5000, of_lab):
        _, image = await convert(encoded(halves(), icc_profile=profile))

        assert is_near(image.getpixel((2, 2)), RED)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize(
    ("given", "kept"), [((4096, 1024), (2048, 512)), ((300, 3000), (205, 2048)), ((2048, 9), (2048, 9))]
)
async def test_the_long_side_is_two_thousand_pixels_at_most(
    mode: str, given: tuple[int, int], kept: tuple[int, int]
) -> None:
    color = (9, 9, 9, 9)[: len(mode)]

    _, image = await convert(encoded(Image.new(mode, given, color)))

    assert image.size == kept


async def test_a_large_photograph_is_taken_and_a_larger_one_is_not() -> None:
    _, image = await convert(encoded(Image.new("RGB", (5712, 4284), RED), "JPEG"))
    assert image.size == (LONGEST_SIDE, 1536)

    with pytest.raises(NotAPicture, match="25000000 pixels"):
        await convert(encoded(Image.new("L", (5001, 5000)), "JPEG"))


async def test_transparent_noise_is_made_smaller_until_it_fits() -> None:
    noise = Image.merge("RGBA", [Image.effect_noise((2048, 2048), 200) for _ in range(4)])
    data = encoded(noise, "WEBP", quality=40)
    assert len(encoded(noise)) > MAX_UPLOAD_BYTES

    converted, image = await convert(data)

    assert image.size == (1024, 1024)
    assert image.mode == "RGBA"
    assert len(converted.data) <= MAX_UPLOAD_BYTES


async def test_deep_greys_keep_their_tones() -> None:
    deep = Image.new("I;16", (40, 40), 128 * 257)

    _, image = await convert(encoded(deep))

    assert is_near(image.getpixel((9, 9)), (128, 128, 128))


async def test_a_film_is_its_first_picture() -> None:
    frames = [Image.new("RGB", (40, 40), color) for color in (RED, BLUE)]

    for kind in ("WEBP", "PNG"):
        _, image = await convert(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))

        assert is_near(image.getpixel((9, 9)), RED)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("cut", [1, 2, 9, 13, 40, 0.5, 0.99])
async def test_what_is_cut_off_is_no_picture(kind: str, cut: float) -> None:
    data = a_picture(90, 70, kind=kind)
    length = int(len(data) * (1 - cut)) if cut < 1 else len(data) - int(cut)

    with pytest.raises(NotAPicture, match="must be a whole picture: PNG, JPEG or WebP"):
        await convert(data[:length])


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"<svg/>", b"%PDF-1.7", b"\0" * 99]
)
async def test_what_is_something_else_is_no_picture(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        await convert(data)


async def test_what_has_many_more_scans_than_encoders_make_keeps_no_decoder_busy() -> None:
    _, image = await convert(a_jpeg_of_scans(MAX_SCANS))

    assert image.size == (800, 800)
    with pytest.raises(NotAPicture, match="must have at most 500 scans"):
        await convert(a_jpeg_of_scans(MAX_SCANS + 1))


async def test_whoever_leaves_while_theirs_is_made_leaves_the_next_one_no_second_thread() -> None:
    begun, end, under_way, most = threading.Event(), threading.Event(), [0], [0]

    def work(data: bytes) -> Converted:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        begun.set()
        end.wait()
        under_way[0] -= 1
        raise NotAPicture("it was none")

    converter = PillowConverter(work)
    calls = [asyncio.create_task(converter.convert(b"")) for _ in range(3)]
    await asyncio.to_thread(begun.wait)
    calls[0].cancel()
    await asyncio.wait(calls[:1])
    # Had another one begun, it would be in a thread by now: what was asked for later is through.
    await asyncio.to_thread(int)
    end.set()
    await asyncio.wait(calls)

    assert most == [1]
    assert calls[0].cancelled()
    assert [type(call.exception()) for call in calls[1:]] == [NotAPicture, NotAPicture]


def with_parts(kind: str, part: bytes) -> bytes:
    """As many of one part as ten megabytes hold, before the pixels."""
    data = a_picture(90, 70, kind=kind)
    at = 33 if kind == "PNG" else 2
    return data[:at] + part * ((MAX_UPLOAD_BYTES - len(data)) // len(part)) + data[at:]


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("PNG", b"\0\0\0\0teSt" + zlib.crc32(b"teSt").to_bytes(4, "big")),
        ("JPEG", b"\xff\xe5\0\2"),
        ("JPEG", b"\xff\xdb\0\0"),
        ("JPEG", b"\xff"),
        ("JPEG", b"\xff\x00"),
        ("JPEG", b"\xff\xd0"),
        ("JPEG", b"a"),
    ],
)
async def test_what_is_in_many_more_parts_than_encoders_make_is_not_looked_at(kind: str, part: bytes) -> None:
    with pytest.raises(NotAPicture, match="must have at most 20000 parts"):
        await convert(with_parts(kind, part))


async def test_a_jpeg_with_notes_of_megabytes_is_taken() -> None:
    note = b"\xff\xe5\xff\xff" + b"\xff" * 65533

    _, image = await convert(a_picture(90, 70, kind="JPEG")[:2] + note * 99 + a_picture(90, 70, kind="JPEG")[2:])

    assert image.size == (90, 70)
