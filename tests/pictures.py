"""Pictures for tests: real ones, small and each different."""

from __future__ import annotations

import io
import random
from typing import Any

from PIL import Image


def a_picture(
    width: int = 64, height: int = 36, *, seed: int = 1, mode: str = "RGB", kind: str = "PNG", **how: Any
) -> bytes:
    """Noise, so that it does not compress to nothing; the same seed makes the same bytes."""
    channels = {"RGB": 3, "RGBA": 4, "L": 1, "LA": 2, "P": 1}[mode]
    image = Image.frombytes(mode, (width, height), random.Random(seed).randbytes(width * height * channels))
    if mode == "P":
        image.putpalette(random.Random(seed).randbytes(768))
    buffer = io.BytesIO()
    image.save(buffer, kind, **how)
    return buffer.getvalue()


def a_jpeg_of_scans(count: int) -> bytes:
    """800 × 800; its last scan comes again and again, which changes nothing, and goes over all of its blocks."""
    buffer, scan = io.BytesIO(), b"\xff\xda"
    Image.new("L", (800, 800), 100).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data[data.rindex(scan) : -2]
    return data[:-2] + last * (count - data.count(scan)) + data[-2:]
