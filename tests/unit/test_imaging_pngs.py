"""A PNG is read from end to end: it is whole, or it is refused; and what is not the picture is left out."""

from __future__ import annotations

import zlib

import pytest
from PIL import Image

from services.generation.domain import AssetType
from services.generation.imaging import conform
from tests.imaging_parts import a_png, assert_refused, chunk, cover, encoded, error, opened, pixel, ramp, with_chunks

SMALL = encoded(ramp(60, 60))
ROW = b"\0" + bytes(60 * 3)
BOMB = zlib.compress(bytes(30_000_000))


@pytest.mark.parametrize("rows", [0, 59, 61, 600])
def test_a_png_with_more_or_fewer_rows_than_it_claims_is_refused(rows: int) -> None:
    assert cover(a_png(60, 60, ROW * 60)).size == (1080, 1080)

    assert_refused(a_png(60, 60, ROW * rows))


def test_a_png_that_ends_before_its_checksum_is_refused() -> None:
    stream = zlib.compress(ROW * 60)

    assert_refused(a_png(60, 60, ROW * 60).replace(chunk(b"IDAT", stream), chunk(b"IDAT", stream[:-4])))


def test_a_png_whose_rows_are_there_but_damaged_is_refused() -> None:
    damaged = bytearray(SMALL)
    damaged[-30] ^= 1

    assert_refused(bytes(damaged))
    assert_refused(a_png(60, 60, b"\7" + ROW[1:] + ROW * 59))


@pytest.mark.parametrize(("width", "height"), [(0, 60), (60, 0), (2**31 - 1, 2**31 - 1)])
def test_a_png_with_an_impossible_size_is_refused(width: int, height: int) -> None:
    assert_refused(a_png(width, height, ROW * 60))


def test_a_png_that_inflates_to_far_more_than_it_claims_is_refused() -> None:
    assert_refused(a_png(60, 60, bytes(30_000_000)))


@pytest.mark.parametrize("depth_and_type", [(3, 2), (8, 1), (0, 0), (255, 6), (16, 3)])
def test_a_png_of_a_kind_that_does_not_exist_is_refused(depth_and_type: tuple[int, int]) -> None:
    depth, color_type = depth_and_type

    assert_refused(a_png(60, 60, ROW * 60, depth=depth, color_type=color_type))


def test_a_png_whose_parts_are_out_of_order_is_put_in_order() -> None:
    stream = zlib.compress((b"\0" + bytes(1200 * 3)) * 480)
    parts = [chunk(b"IDAT", stream[:100]), chunk(b"sRGB", b"\0"), chunk(b"IDAT", stream[100:])]
    whole = a_png(1200, 480, (b"\0" + bytes(1200 * 3)) * 480)

    made = conform(whole.replace(chunk(b"IDAT", stream), b"".join(parts)), AssetType.BANNER).data

    assert made.index(b"sRGB") < made.index(b"IDAT")
    assert opened(made).size == (1200, 480)


def test_a_png_with_two_headers_or_none_or_endless_parts_is_refused() -> None:
    header = SMALL[8:33]

    assert_refused(with_chunks(SMALL, header))
    assert_refused(SMALL[:8] + SMALL[33:])
    assert_refused(with_chunks(SMALL, chunk(b"tEXt", b"") * 60_000))


@pytest.mark.parametrize(
    "bomb",
    [
        chunk(b"zTXt", b"Comment\0\0" + BOMB),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
        chunk(b"tEXt", b"Comment\0" + b"x" * 2_000_000),
        chunk(b"iCCP", b"sRGB\0\7" + zlib.compress(b"profile")),
        chunk(b"iCCP", b"sRGB\0\0junk"),
        chunk(b"iCCP", b"sRGB"),
        chunk(b"iCCP", b"sRGB\0\0" + BOMB),
        chunk(b"acTL", bytes(8)),
        chunk(b"eXIf", b"MM\0\x2a" + b"\xff" * 40),
        b"\0\0\0\1gAMAxjunk",
    ],
    ids=["zTXt bomb", "iTXt bomb", "long text", "odd profile", "broken profile", "no profile", "profile bomb",
         "animation", "broken exif", "damaged note"],
)  # fmt: skip
def test_what_lies_beside_the_picture_cannot_spoil_it(bomb: bytes) -> None:
    assert error(cover(with_chunks(SMALL, bomb)), cover(SMALL)) == 0


def test_an_interlaced_png_is_read_like_any_other() -> None:
    # Of 17 columns and 18 rows: columns and rows of each of the seven passes.
    passes = [(3, 3), (2, 3), (5, 2), (4, 5), (9, 4), (8, 9), (17, 9)]
    rows = b"".join((b"\0" + bytes([90, 120, 150]) * columns) * lines for columns, lines in passes)

    assert pixel(cover(_interlaced(17, 18, rows)), 540, 540) == (90, 120, 150)
    assert_refused(_interlaced(17, 18, rows[:-1]))
    assert_refused(_interlaced(17, 18, rows + b"\0"))


def test_an_orientation_counts_wherever_in_a_png_it_stands() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    first = encoded(ramp(60, 60), exif=exif)
    start = first.index(b"eXIf") - 4
    note = first[start : start + 12 + int.from_bytes(first[start : start + 4], "big")]

    last = first.replace(note, b"")[:-12] + note + first[-12:]

    assert error(cover(last), cover(first)) == 0
    assert pixel(cover(last), 0, 0) == pytest.approx((255, 255, 0), abs=5)


def _interlaced(width: int, height: int, rows: bytes) -> bytes:
    data = bytearray(a_png(width, height, rows))
    data[28] = 1
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)
