"""Makes of what users bring pictures that are safe to keep, with Pillow."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image, ImageCms

from services.storage.domain import NotAPicture, Picture
from services.storage.jpegs import SCAN, require_few_scans
from services.storage.pngs import SIGNATURE, is_interlaced, require_whole
from services.storage.upload_domain import LONGEST_SIDE, MAX_UPLOAD_BYTES, MAX_UPLOAD_PIXELS, Converted

AT_ONCE = 1
"""What bounds memory: the worst, a transparent WebP of 25 megapixels, takes half a gigabyte for a second. A photograph
takes a fifth of that, and half the time."""
QUALITY = 90
SOI = b"\xff\xd8"
BARE = frozenset(bytes([second]) for second in (0x01, *range(0xD0, 0xDA)))
"""What stands in a JPEG without a length behind it."""
MAX_PARTS = 20_000
"""Chunks of a PNG, or segments and stray bytes of a JPEG; an encoder makes a thousand for ten megabytes. Pillow looks
at each in Python, which for a million of them takes seconds."""
REDUCING_GAP = 3
"""From here on nobody sees that a picture was shrunk in whole steps first, which is fast."""
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By EXIF's orientation: what makes it upright."""


class PillowConverter:
    """Converts in threads, in which Pillow and hashlib run beside the event loop."""

    def __init__(self, work: Callable[[bytes], Converted] | None = None) -> None:
        # A thread goes on when nobody waits for it any more; that it is the pool's keeps its place taken so long.
        self._threads = ThreadPoolExecutor(AT_ONCE, "converting")
        self._work = work or _convert

    async def convert(self, data: bytes) -> Converted:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._work, data)


def _convert(data: bytes) -> Converted:
    try:
        image = _decoded(data)
    except NotAPicture:
        raise
    except Exception as error:
        # Made-up bytes bring a decoder's every error to light.
        raise NotAPicture("must be a whole picture: PNG, JPEG or WebP") from error
    return _measured(_encoded(image))


def _decoded(data: bytes) -> Image.Image:
    """Its first frame, upright, in sRGB, no larger than it may be; RGBA if something of it is transparent, else RGB."""
    _require_few_parts(data)
    with Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
        if image.width * image.height > MAX_UPLOAD_PIXELS:
            raise NotAPicture(f"must have at most {MAX_UPLOAD_PIXELS} pixels")
        if image.format == "PNG" and not is_interlaced(data):
            # The decoder is content with all rows; what is cut off behind them is cut off all the same.
            require_whole(data)
        if image.format in ("JPEG", "MPO"):
            require_few_scans(data)
        turn = _turn(image)
        # A JPEG can be decoded to an eighth of its size, in an eighth of the memory; other kinds ignore this.
        image.draft(None, _fitting(image.size))
        image.load()
        pixels = _in_srgb(_levelled(image))
    pixels.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS, reducing_gap=REDUCING_GAP)
    return pixels if turn is None else pixels.transpose(turn)


def _require_few_parts(data: bytes) -> None:
    """Before anybody looks closer: whether they make sense is not asked here."""
    step, at = (_after_chunk, len(SIGNATURE)) if data.startswith(SIGNATURE) else (_after_segment, 2)
    if not data.startswith((SIGNATURE, SOI)):
        return
    for _ in range(MAX_PARTS):
        at = step(data, at)
        if at >= len(data):
            return
    raise NotAPicture(f"must have at most {MAX_PARTS} parts")


def _after_chunk(data: bytes, at: int) -> int:
    return at + 12 + int.from_bytes(data[at : at + 4], "big")


def _after_segment(data: bytes, at: int) -> int:
    """Behind all of it where its pixels begin; what is no segment is passed over byte by byte, as Pillow does."""
    marker = data[at : at + 2]
    if marker == SCAN:
        return len(data)
    if marker[:1] != b"\xff" or marker[1:] in (b"\x00", b"\xff"):
        return at + 1
    return at + 2 + (0 if marker[1:] in BARE else int.from_bytes(data[at + 2 : at + 4], "big"))


def _encoded(image: Image.Image) -> bytes:
    """Half as large as long as it is too long: noise that is transparent in places hardly gets smaller as a PNG."""
    while True:
        out = BytesIO()
        if image.mode == "RGBA":
            image.save(out, "PNG")
        else:
            image.save(out, "JPEG", quality=QUALITY)
        if out.tell() <= MAX_UPLOAD_BYTES:
            return out.getvalue()
        image.thumbnail((max(image.size) // 2,) * 2, Image.Resampling.LANCZOS)


def _measured(data: bytes) -> Converted:
    with Image.open(BytesIO(data), formats=("PNG", "JPEG")) as image:
        content_type = "image/png" if image.format == "PNG" else "image/jpeg"
        width, height = image.size
    return Converted(data, Picture(hashlib.sha256(data).hexdigest(), content_type, width, height, len(data)))


def _fitting(size: tuple[int, int]) -> tuple[int, int]:
    scale = max(1.0, max(size) / LONGEST_SIDE)
    return max(1, round(size[0] / scale)), max(1, round(size[1] / scale))


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        orientation: Any = image.getexif().get(ExifTags.Base.Orientation)
        return TURNS.get(orientation)
    except Exception:
        # Notes that cannot be read say nothing about the picture.
        return None


def _levelled(image: Image.Image) -> Image.Image:
    """In a mode whose pixels can be averaged."""
    if image.mode.startswith("I"):
        image.info.pop("transparency", None)
        return image.point(lambda level: level * (1 / 257)).convert("L")
    if image.mode in ("P", "PA") or "transparency" in image.info:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image.convert("L") if image.mode == "1" else image


def _in_srgb(image: Image.Image) -> Image.Image:
    """What its profile says, if that can be read; after that it has none, nor anything else but pixels."""
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    colors = _by_profile(image if alpha is None else image.convert(image.mode.removesuffix("A")))
    if alpha is not None and _is_seen_through(alpha):
        colors.putalpha(alpha)
    colors.info = {}
    return colors


def _by_profile(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            # Broken, or made for other pixels than these: then it says nothing about them.
            converted = None
        if converted is not None:
            return converted
    # Not the very picture that was opened: what is done to this one must not depend on it.
    return image.copy() if image.mode == "RGB" else image.convert("RGB")


def _is_seen_through(alpha: Image.Image) -> bool:
    least = alpha.getextrema()[0]
    return isinstance(least, int | float) and least < 255
