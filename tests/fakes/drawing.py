"""Pictures as an image API might make them."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw


def draw(width: int, height: int, seed: str) -> bytes:
    """A PNG; another seed, another picture."""
    dice = random.Random(seed)
    image = Image.new("RGB", (width, height), _colour(dice))
    pen = ImageDraw.Draw(image)
    for _ in range(6):
        x, y, radius = dice.randrange(width), dice.randrange(height), dice.randrange(1, height // 2 + 2)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_colour(dice))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _colour(dice: random.Random) -> tuple[int, int, int]:
    return dice.randrange(256), dice.randrange(256), dice.randrange(256)
