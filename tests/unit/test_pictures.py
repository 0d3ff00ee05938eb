"""What counts as a picture, and what is measured on it."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from services.storage.domain import MAX_BYTES, BytesDamaged, NotAPicture
from services.storage.jpegs import MAX_SCANS
from services.storage.pictures import PillowPictures
from services.storage.pngs import PngDamaged, require_whole
from tests.pictures import a_jpeg_of_scans, a_picture

PNG = a_picture(23, 17)
JPEG = a_picture(23, 17, kind="JPEG")
WEBP = a_picture(23, 17, kind="WEBP")


def a_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def a_png(width: int, height: int, rows: bytes) -> bytes:
    """Grey, with rows as they come: also such as no encoder would write."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(a_chunk(kind, body) for kind, body in chunks)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (WEBP, "image/webp")],
    ids=["png", "jpeg", "webp"],
)
async def test_a_picture_is_measured(data: bytes, content_type: str) -> None:
    picture = await PillowPictures().measure(data)

    assert (picture.width, picture.height, picture.file_size) == (23, 17, len(data))
    assert picture.content_type == content_type
    assert picture.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P"])
@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
async def test_pngs_of_every_kind_are_pictures(mode: str, size: tuple[int, int]) -> None:
    picture = await PillowPictures().measure(a_picture(*size, mode=mode))

    assert (picture.width, picture.height) == size


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_pngs_with_several_pixels_in_a_byte_are_whole(bits: int) -> None:
    require_whole(a_picture(13, 5, mode="P", bits=bits))


async def test_an_interlaced_png_is_a_picture_when_it_is_whole() -> None:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 1)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(b"\0\x7f")), (b"IEND", b"")
    interlaced = b"\x89PNG\r\n\x1a\n" + b"".join(a_chunk(kind, body) for kind, body in chunks)

    assert (await PillowPictures().measure(interlaced)).width == 1
    with pytest.raises(NotAPicture):
        await PillowPictures().measure(interlaced[:40])


async def test_a_jpeg_of_many_more_scans_than_encoders_make_keeps_no_decoder_busy() -> None:
    assert (await PillowPictures().measure(a_jpeg_of_scans(MAX_SCANS))).width == 800

    with pytest.raises(NotAPicture, match="must have at most 500 scans"):
        await PillowPictures().measure(a_jpeg_of_scans(MAX_SCANS + 1))


async def test_other_bytes_than_announced_are_damaged() -> None:
    await PillowPictures().measure(PNG, hashlib.sha256(PNG).hexdigest().upper())

    with pytest.raises(BytesDamaged):
        await PillowPictures().measure(PNG, hashlib.sha256(JPEG).hexdigest())


async def test_what_its_maker_has_decoded_is_not_decoded_again() -> None:
    chunks = (b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")
    hollow = b"\x89PNG\r\n\x1a\n" + b"".join(a_chunk(kind, body) for kind, body in chunks)

    proven = await PillowPictures().measure(hollow, hashlib.sha256(hollow).hexdigest())
    with pytest.raises(NotAPicture):
        await PillowPictures().measure(hollow)

    assert (proven.width, proven.height, proven.file_size) == (2, 2, len(hollow))


@pytest.mark.parametrize("data", [b"", b"<svg/>", PNG[:-1], PNG + b"more"], ids=["nothing", "svg", "cut off", "more"])
async def test_what_is_damaged_or_no_picture_is_refused_though_its_hash_is_right(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        await PillowPictures().measure(data, hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!doctype html><script>alert(1)</script>",
        a_picture(kind="GIF", mode="P"),
        a_picture(kind="BMP"),
        a_picture(kind="TIFF"),
        PNG + b"<script>alert(1)</script>",
        JPEG[: len(JPEG) // 2],
        WEBP[: len(WEBP) // 2],
    ],
    ids=["nothing", "nul", "svg", "html", "gif", "bmp", "tiff", "png and more", "half a jpeg", "half a webp"],
)
async def test_what_is_no_whole_png_jpeg_or_webp_is_refused(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        await PillowPictures().measure(data)


@given(place=st.integers(0, len(PNG) - 1), flip=st.integers(1, 255))
def test_a_png_with_any_byte_changed_is_not_whole(place: int, flip: int) -> None:
    damaged = bytearray(PNG)
    damaged[place] ^= flip

    with pytest.raises(PngDamaged):
        require_whole(bytes(damaged))


@given(length=st.integers(0, len(PNG) - 1))
def test_a_png_cut_off_anywhere_is_not_whole(length: int) -> None:
    with pytest.raises(PngDamaged):
        require_whole(PNG[:length])


@given(data=st.binary(max_size=200))
def test_anything_after_a_pngs_signature_is_told_apart(data: bytes) -> None:
    with pytest.raises(PngDamaged):
        require_whole(PNG[:8] + data)


@pytest.mark.parametrize(
    "rows",
    [b"", b"\0\1\1", b"\0\1\1\0\1", b"\0\1\1\0\1\1\0", b"\0\1\1\5\1\1", b"\0" * 1_000_000],
    ids=["none", "one row", "a byte missing", "a byte more", "no such filter", "a bomb"],
)
def test_a_png_with_rows_that_do_not_fill_it_is_not_whole(rows: bytes) -> None:
    require_whole(a_png(2, 2, b"\0\1\1\4\1\1"))

    with pytest.raises(PngDamaged):
        require_whole(a_png(2, 2, rows))


async def test_a_pixel_bomb_is_refused_before_it_is_decoded() -> None:
    for side in (4097, 60_000):
        bomb = a_png(side, side, b"\0")
        with pytest.raises(NotAPicture):
            await PillowPictures().measure(bomb)


async def test_a_file_that_is_too_big_is_refused() -> None:
    with pytest.raises(NotAPicture, match="25 MiB"):
        await PillowPictures().measure(bytes(MAX_BYTES + 1))


async def test_the_biggest_asset_is_no_bomb() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (1920, 1080)).save(buffer, "PNG")

    assert (await PillowPictures().measure(buffer.getvalue())).width == 1920
