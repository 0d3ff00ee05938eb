"""Pictures as an image API may send them, and looks at what was made of them."""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from services.generation.domain import AssetType, RenderFailed
from services.generation.failures import failure
from services.generation.imaging import conform

BLACK, WHITE, BLUE = "#000000", "#FFFFFF", "#3060A0"
SHAPES = ("#FFFFFF", "#101010", "#FFD400", "#00FFFF", "#C02020", "#808890")


def encoded(image: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    """The picture as bytes; fast rather than small."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **{"compress_level": 1, **how} if kind == "PNG" else how)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    """The picture that the bytes hold, decoded."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def noise(width: int, height: int, amount: float = 1.0) -> Image.Image:
    """The same at every call, around a middle grey."""
    full = Image.frombytes("RGB", (width, height), random.Random(width).randbytes(3 * width * height))
    return Image.blend(Image.new("RGB", full.size, "#808080"), full, amount)


def ramp(width: int, height: int) -> Image.Image:
    """Red tells how far to the right a pixel stood, and green how far down."""
    down = Image.linear_gradient("L")
    red, green = down.transpose(Image.Transpose.ROTATE_90), down
    return Image.merge("RGB", [band.resize((width, height)) for band in (red, green, Image.new("L", (1, 1)))])


def chunk(kind: bytes, body: bytes) -> bytes:
    """A part of a PNG."""
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def a_png(
    width: int, height: int, rows: bytes, *, depth: int = 8, color_type: int = 2, extra: Iterable[bytes] = ()
) -> bytes:
    """A PNG whose header may claim anything, with further chunks before its rows."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, color_type, 0, 0, 0])
    parts = (chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def with_chunks(data: bytes, *extra: bytes) -> bytes:
    """The PNG with further chunks after its header."""
    end_of_header = 33
    return data[:end_of_header] + b"".join(extra) + data[end_of_header:]


def an_overlay(width: int = 960, height: int = 540, *, glow: str = "") -> Image.Image:
    """A frame with shapes that stand free in its opening, drawn large and averaged, so that every edge is soft."""
    image = Image.new("RGBA", (width * 2, height * 2))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width * 2, height * 2), outline="#18181B", width=80)
    pen.rectangle((80, 80, width * 2 - 81, height * 2 - 81), outline="#FF4500", width=12)
    for number, color in enumerate(SHAPES):
        x = 160 + 110 * number
        pen.polygon([(x, 180), (x + 36, 240), (x - 36, 240)], fill=color)
        pen.ellipse((x - 30, 270, x + 30, 330), fill=color, outline="#FFFFFF", width=6)
    sharp = image.reduce(2)
    if not glow:
        return sharp
    light = Image.new("RGBA", sharp.size)
    ImageDraw.Draw(light).rectangle((40, 40, width - 41, height - 41), outline=glow, width=14)
    return Image.alpha_composite(light.convert("RGBa").filter(ImageFilter.GaussianBlur(7)).convert("RGBA"), sharp)


def on(image: Image.Image, color: str) -> Image.Image:
    """As it looks on a ground of that colour."""
    return Image.alpha_composite(Image.new("RGBA", image.size, color), image).convert("RGB")


def as_jpeg(image: Image.Image, quality: int = 85) -> Image.Image:
    """As it comes out of a JPEG with colour at half resolution."""
    return opened(encoded(image, "JPEG", quality=quality, subsampling="4:2:0"))


def a_board(width: int, height: int, cell: int = 16, tones: tuple[int, int] = (255, 204)) -> Image.Image:
    """The checkerboard by which programs show transparency."""
    columns, rows = width // cell + 1, height // cell + 1
    tiny = Image.frombytes(
        "L", (columns, rows), bytes(tones[(i % columns + i // columns) % 2] for i in range(columns * rows))
    )
    board = tiny.resize((columns * cell, rows * cell), Image.Resampling.NEAREST)
    return board.crop((0, 0, width, height)).convert("RGB")


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    """One pixel's channels."""
    channels = image.getpixel((x, y))
    assert isinstance(channels, tuple)
    return channels


def error(one: Image.Image, other: Image.Image) -> float:
    """The mean square by which two pictures differ."""
    return sum(rms * rms for rms in ImageStat.Stat(ImageChops.difference(one, other)).rms) / 3


def magenta(image: Image.Image) -> Image.Image:
    """How much of each pixel is magenta."""
    red, green, blue = image.split()
    return ImageChops.subtract(ImageChops.darker(red, blue), green)


def worst(band: Image.Image) -> int:
    """The brightest pixel."""
    highest = band.getextrema()[1]
    assert isinstance(highest, int)
    return highest


def cover(data: bytes) -> Image.Image:
    """What becomes of it as a clip cover, which crops nothing of a square."""
    return opened(conform(data, AssetType.CLIP_COVER).data)


def assert_refused(data: bytes) -> None:
    """Whatever it was to become, and with nothing said but the usual."""
    for asset_type in (AssetType.CLIP_COVER, AssetType.OVERLAY):
        with pytest.raises(RenderFailed) as caught:
            conform(data, asset_type)
        assert caught.value.failure == failure("INVALID_IMAGE")
