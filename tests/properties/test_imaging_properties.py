"""Whatever bytes arrive: exactly the picture that was asked for, or a refusal, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from chassis.key_colors import key_color_for
from services.generation.domain import ASSET_DIMENSIONS, AssetType, Picture, RenderFailed
from services.generation.imaging import conform
from services.generation.imaging.encoding import THUMBNAIL_BYTES
from services.generation.imaging.sniffing import LEAST_SIDE
from tests.imaging_parts import encoded, noise, opened, pixel

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG"}
MODES = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "JPEG": ("L", "RGB", "CMYK"), "WEBP": ("RGB", "RGBA")}
FLAT = st.sampled_from([asset_type for asset_type in AssetType if asset_type is not AssetType.OVERLAY])
SIDES = st.integers(LEAST_SIDE, 120)
COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")


@st.composite
def pictures(draw: st.DrawFn) -> bytes:
    """A picture of any kind, mode and size, as a decoder knows them."""
    kind = draw(st.sampled_from(sorted(MODES)))
    mode = draw(st.sampled_from(MODES[kind]))
    image = Image.new("RGB", (draw(SIDES), draw(SIDES)), draw(COLORS))
    ImageDraw.Draw(image).ellipse((0, 0, draw(SIDES), draw(SIDES)), fill=draw(COLORS))
    if draw(st.booleans()):
        image = Image.blend(image, noise(*image.size), 0.5)
    exif = Image.Exif()
    exif[0x0112] = draw(st.integers(0, 9))
    how: dict[str, Any] = {} if mode == "I;16" else {"exif": exif}
    return encoded(image.convert("I").convert("I;16") if mode == "I;16" else image.convert(mode), kind, **how)


def assert_exact(picture: Picture, asset_type: AssetType) -> None:
    image = opened(picture.data)
    assert image.size == ASSET_DIMENSIONS[asset_type]
    assert image.mode == ("RGBA" if asset_type is AssetType.OVERLAY else "RGB")
    assert image.format == FORMATS[picture.content_type]
    assert asset_type is not AssetType.THUMBNAIL or len(picture.data) <= THUMBNAIL_BYTES


@settings(max_examples=16, deadline=None)
@given(pictures(), FLAT)
def test_every_picture_becomes_exact_and_stays_as_it_then_is(data: bytes, asset_type: AssetType) -> None:
    picture = conform(data, asset_type)

    assert_exact(picture, asset_type)
    if picture.content_type == "image/png":
        assert conform(picture.data, asset_type).data is picture.data
    else:
        assert_exact(conform(picture.data, asset_type), asset_type)


@settings(max_examples=6, deadline=None)
@given(SIDES, SIDES, COLORS)
def test_every_overlay_on_the_key_for_its_colour_becomes_exact_with_its_middle_open(
    width: int, height: int, color: str
) -> None:
    image = Image.new("RGB", (40 + width, 40 + height), color)
    image.paste(key_color_for([color]), (10, 10, 30 + width, 30 + height))

    picture = conform(encoded(image), AssetType.OVERLAY)

    assert_exact(picture, AssetType.OVERLAY)
    assert pixel(opened(picture.data), 960, 540) == (0, 0, 0, 0)
    assert conform(picture.data, AssetType.OVERLAY).data is picture.data


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\x40\0\0\0WEBP", b"RIFF\x40\0\0\0WEBPVP8X"]),
    st.binary(max_size=200),
    st.sampled_from(AssetType),
)
def test_junk_is_refused_and_nothing_else_escapes(start: bytes, junk: bytes, asset_type: AssetType) -> None:
    try:
        conform(start + junk, asset_type)
    except RenderFailed as refusal:
        assert refusal.failure.reason == "INVALID_IMAGE"
    else:
        raise AssertionError("junk was taken for a picture")


@settings(max_examples=60, deadline=None)
@given(pictures(), st.data())
def test_a_damaged_picture_is_refused_or_made_exact(data: bytes, draws: st.DataObject) -> None:
    damaged = bytearray(data)
    for at in draws.draw(st.lists(st.integers(0, len(data) - 1), min_size=1, max_size=4)):
        damaged[at] = draws.draw(st.integers(0, 255))
    asset_type = draws.draw(st.sampled_from([AssetType.BANNER, AssetType.OVERLAY]))

    try:
        picture = conform(bytes(damaged[: draws.draw(st.integers(len(data) // 2, len(data)))]), asset_type)
    except RenderFailed as refusal:
        assert refusal.failure.reason == "INVALID_IMAGE"
    else:
        assert_exact(picture, asset_type)
