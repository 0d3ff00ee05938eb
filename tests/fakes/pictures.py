"""Draws what an image model would: in the prompt's colours, on a key colour if asked to, by its seed."""

from __future__ import annotations

import io
import random
import re
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageColor, ImageDraw

_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}\b")
_KEY = re.compile(r"\b(?:flat|key|chroma)\b[^.\n]*?(#[0-9A-Fa-f]{6})\b", re.IGNORECASE)
_CHECKS = ((204, 204, 204), (255, 255, 255))


@lru_cache(maxsize=16)
def draw(size: tuple[int, int], prompt: str, seed: int) -> bytes:
    """A PNG: an ornament on a flat colour, a checkerboard or a scene, as the prompt asks and the model knows how."""
    dice = random.Random(f"{seed} {prompt}")
    colours = [ImageColor.getrgb(colour) for colour in _COLOUR.findall(prompt)] or [(90, 60, 160), (20, 200, 220)]
    keys = _KEY.findall(prompt)
    if keys:
        # What is asked for last is about the whole picture; before it, somebody's style may be flat as well.
        key_colour = ImageColor.getrgb(keys[-1])
        image = Image.new("RGB", size, key_colour)
        _frame(image, dice, [colour for colour in colours if colour != key_colour] or [(255, 255, 255)])
    elif "transparent" in prompt:
        # Asked for transparency, these models paint what transparency looks like in an editor.
        image = _checkerboard(size)
        _frame(image, dice, colours)
    else:
        image = _scene(size, dice, colours)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _checkerboard(size: tuple[int, int]) -> Image.Image:
    side = max(8, size[1] // 48)
    small = Image.new("RGB", (size[0] // side + 1, size[1] // side + 1))
    pixels = [_CHECKS[(x + y) % 2] for y in range(small.height) for x in range(small.width)]
    small.putdata(pixels)
    return small.resize((small.width * side, small.height * side), Image.Resampling.NEAREST).crop((0, 0, *size))


def _frame(image: Image.Image, dice: random.Random, colours: Sequence[tuple[int, ...]]) -> None:
    """A band along the edges with soft borders, and an ornament in each corner."""
    width, height = image.size
    band = round(height * dice.uniform(0.04, 0.09))
    mask = Image.new("L", (width // 2, height // 2), 255)
    ImageDraw.Draw(mask).rectangle((band // 2, band // 2, (width - band) // 2, (height - band) // 2), fill=0)
    for corner in ((0, 0), (width // 2, 0), (0, height // 2), (width // 2, height // 2)):
        radius = dice.randrange(band, band * 2)
        ImageDraw.Draw(mask).ellipse(
            (corner[0] - radius, corner[1] - radius, corner[0] + radius, corner[1] + radius), fill=255
        )
    image.paste(dice.choice(colours), (0, 0), mask.resize(image.size, Image.Resampling.BILINEAR))


def _scene(size: tuple[int, int], dice: random.Random, colours: Sequence[tuple[int, ...]]) -> Image.Image:
    """A gradient with shapes on it."""
    first, last = colours[0], dice.choice(colours[1:] or [(12, 12, 20)])
    light = Image.linear_gradient("L").rotate(dice.choice((0, 90, 180))).resize(size)
    image = Image.composite(Image.new("RGB", size, first), Image.new("RGB", size, last), light)
    pen = ImageDraw.Draw(image)
    for _ in range(dice.randrange(4, 9)):
        x, y, radius = (
            dice.randrange(size[0]),
            dice.randrange(size[1]),
            dice.randrange(max(1, size[1] // 20), size[1] // 5 + 2),
        )
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=dice.choice(colours))
    return image
