"""Looks at pictures with Pillow."""

from __future__ import annotations

import asyncio
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import Image

from services.storage.domain import MAX_BYTES, BytesDamaged, NotAPicture, Picture
from services.storage.jpegs import require_few_scans
from services.storage.pngs import is_interlaced, require_intact, require_whole

CONTENT_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
"""By Pillow's name of the format; MPO is a JPEG that brings further ones along, as phones make them."""
MAX_PIXELS = 4096 * 4096
"""Twice the biggest asset in each direction and more; decoded, it is 64 MB."""


class PillowPictures:
    """Measures pictures in threads, in which Pillow, zlib and hashlib run beside the event loop."""

    def __init__(self) -> None:
        # More than there are processors would take no less time, and more memory: a decoded picture is a large one.
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, "pictures")

    async def measure(self, data: bytes, sha256: str | None = None) -> Picture:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _measure, data, sha256)


def _measure(data: bytes, sha256: str | None) -> Picture:
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and digest != sha256.lower():
        raise BytesDamaged(f"{digest} instead of {sha256}")
    if len(data) > MAX_BYTES:
        raise NotAPicture(f"must have at most {MAX_BYTES // 2**20} MiB")
    try:
        content_type, width, height = _look(data, is_proven=sha256 is not None)
    except NotAPicture:
        raise
    except Exception as error:
        # Made-up bytes bring a decoder's every error to light.
        raise NotAPicture("must be a whole picture: PNG, JPEG or WebP") from error
    return Picture(digest, content_type, width, height, len(data))


def _look(data: bytes, *, is_proven: bool) -> tuple[str, int, int]:
    with Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
        if image.width * image.height > MAX_PIXELS:
            raise NotAPicture(f"must have at most {MAX_PIXELS} pixels")
        if is_proven:
            # To decode them once more would take ten times as long as all else that is done to store them.
            _require_plausible(data, image)
        else:
            _decode(data, image)
        return CONTENT_TYPES[image.format or ""], image.width, image.height


def _require_plausible(data: bytes, image: Image.Image) -> None:
    if image.format == "PNG":
        require_intact(data)


def _decode(data: bytes, image: Image.Image) -> None:
    if image.format == "PNG" and not is_interlaced(data):
        require_whole(data)
        return
    if image.format in ("JPEG", "MPO"):
        require_few_scans(data)
    image.load()
