"""Cuts an overlay out of the flat colour it was painted on, with soft edges that keep none of it.

A pixel at an edge, or in a glow, is a mixture: alpha parts of the overlay and the rest of the key. How much key there
is, is read from how much of the key's hue is left; what is then taken away is exactly that share. All of it is done
on whole channels of 8 bits: 85 ms a megapixel.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

from PIL import Image, ImageChops, ImageFilter, ImageStat

from chassis.colors import Rgb
from chassis.key_colors import KEYS, is_lit, likeness
from services.generation.imaging.colors import flattened
from services.generation.imaging.opening import is_checkered, middle
from services.generation.imaging.refusals import CHECKERED, NOT_OPEN, refused

_LEAST_LIKENESS = 0.4
_NEUTRAL = 127
"""The distance from the key of what has nothing of its hue; twice as much is the opposite hue."""
_EDGE = 4
"""How far, in pixels, from a blurred edge the overlay has its full colour."""
_NOISE_QUANTILE = 0.98
_BELOW, _ABOVE = 0.04, 0.04
"""Of alpha: what is taken for nothing, beyond the picture's own noise, and for solid."""
_CORE, _PASSABLE = 48, 120
"""Distances: within the first a pixel is background; beyond the second no background shines through."""
_CELL = 4
_REACH = 48
"""In cells: how far into a glow the background may be felt."""
_THIN = 2
"""In pixels: what is no wider than twice that and one is a gap that background shines through, and no shape."""
_SPILL = 2


def cut_out(image: Image.Image) -> Image.Image:
    """The overlay in mode RGBA, keyed by what fills its middle: models seldom paint the very colour asked for.

    Raises:
        RenderFailed: the middle is not one flat colour that can be told from the rest.
    """
    painted = image.convert("RGB")
    red, green, blue = (round(level) for level in ImageStat.Stat(middle(painted)).median)
    flat = (red, green, blue)
    key = max(KEYS, key=lambda candidate: likeness(flat, candidate))
    if likeness(flat, key) < _LEAST_LIKENESS:
        raise refused(CHECKERED if is_checkered(painted) else NOT_OPEN)
    # Where it was transparent all along, nothing is to be seen either.
    return _keyed(flattened(image, flat), flat, key)


def _keyed(image: Image.Image, flat: Rgb, key: str) -> Image.Image:
    distance = _distance(image, flat, key)
    alpha = ImageChops.lighter(_alpha(image, distance, flat, key), ImageChops.invert(_background(distance)))
    return _despilled(_unmixed(image, alpha, flat))


def _distance(image: Image.Image, flat: Rgb, key: str) -> Image.Image:
    bands, lit = image.split(), is_lit(key)
    strong = reduce(ImageChops.darker, (band for band, on in zip(bands, lit, strict=True) if on))
    weak = reduce(ImageChops.lighter, (band for band, on in zip(bands, lit, strict=True) if not on))
    full = 255 * likeness(flat, key)
    return _mapped(ImageChops.subtract(strong, weak, 2, 128), lambda level: _NEUTRAL * (1 - (level - 128) * 2 / full))


def _alpha(image: Image.Image, distance: Image.Image, flat: Rgb, key: str) -> Image.Image:
    # The overlay's own colour is taken to be no nearer to the key than grey: who asks for a key sees to that.
    solid = ImageChops.lighter(_grown(distance, _EDGE), Image.new("L", image.size, _NEUTRAL))
    # Pillow divides one channel by another only when it takes a multiplication by alpha back.
    share = Image.merge("La", (distance, solid)).convert("LA").getchannel("L")
    least = [_least(band, level, on) for band, level, on in zip(image.split(), flat, is_lit(key), strict=True)]
    noise = _noise(distance)
    low, high = _BELOW + noise, 1 - _ABOVE - noise / 2
    return _mapped(reduce(ImageChops.lighter, least, share), lambda level: (level - 255 * low) / (high - low))


def _least(band: Image.Image, flat: int, lit: bool) -> Image.Image:
    """The least alpha with which a pixel can be a mixture at all: no channel of the overlay is below 0 or above 255."""
    if lit:
        return _mapped(band, lambda level: 255 * (flat - level) / flat)
    return _mapped(band, lambda level: 255 * (level - flat) / (255 - flat))


def _noise(distance: Image.Image) -> float:
    """How much alpha the flat middle would have by mistake."""
    counts = middle(distance).histogram()[: _NEUTRAL // 2]
    left = _NOISE_QUANTILE * sum(counts)
    for level, count in enumerate(counts):
        left -= count
        if left <= 0:
            return min(level / _NEUTRAL, 0.2)
    return 0.0


def _background(distance: Image.Image) -> Image.Image:
    """Where the key may shine through: around what is plainly background, up to what is plainly not; and in gaps.

    So a colour like the key, inside of a shape, stays as it was painted.
    """
    return ImageChops.lighter(_connected(distance), _gaps(distance))


def _gaps(distance: Image.Image) -> Image.Image:
    solid = _mapped(distance, lambda level: 255 * (level >= _PASSABLE))
    wide = _grown(ImageChops.invert(_grown(solid, _THIN)), _THIN)
    return _grown(ImageChops.invert(ImageChops.lighter(solid, wide)), 1)


def _connected(distance: Image.Image) -> Image.Image:
    size = (-(-distance.width // _CELL), -(-distance.height // _CELL))
    # A thin outline must close a cell.
    cells = _grown(distance, 1).resize(size, Image.Resampling.NEAREST)
    passable = _mapped(cells, lambda level: 255 * (level < _PASSABLE))
    found = _mapped(distance.resize(size, Image.Resampling.NEAREST), lambda level: 255 * (level < _CORE))
    for _ in range(_REACH):
        found = ImageChops.darker(_grown(found, 1), passable)
    return _grown(found, 2).resize(distance.size, Image.Resampling.NEAREST)


def _unmixed(image: Image.Image, alpha: Image.Image, flat: Rgb) -> Image.Image:
    key = ImageChops.multiply(Image.new("RGB", image.size, flat), Image.merge("RGB", [ImageChops.invert(alpha)] * 3))
    bands = ImageChops.subtract(image, key).split()
    return Image.merge("RGBa", (*bands, alpha)).convert("RGBA")


def _despilled(image: Image.Image) -> Image.Image:
    """Gives what is hardly there the colour of the solid pixels beside it, as its own is mostly rounding and noise."""
    alpha = image.getchannel("A")
    solid = image.copy()
    solid.putalpha(_mapped(alpha, lambda level: 255 * (level > 245)))
    beside = solid.convert("RGBa").filter(ImageFilter.BoxBlur(_SPILL)).convert("RGBA")
    near = _mapped(beside.getchannel("A"), lambda level: level * 16)
    colors = image.convert("RGB")
    colors.paste(beside.convert("RGB"), (0, 0), ImageChops.darker(ImageChops.invert(alpha), near))
    colors.putalpha(alpha)
    return colors.convert("RGBa").convert("RGBA")


def _grown(image: Image.Image, radius: int) -> Image.Image:
    """Each pixel as bright as the brightest in the square around it; Pillow's own filter takes 50 times as long."""
    width, height = image.size
    for across, down in ((1, 0), (0, 1)):
        reached = 0
        while reached < radius:
            step = min(reached + 1, radius - reached)
            x, y = across * step, down * step
            there, here = image.crop((x, y, x + width, y + height)), image.crop((-x, -y, width - x, height - y))
            image = ImageChops.lighter(image, ImageChops.lighter(there, here))
            reached += step
    return image


def _mapped(band: Image.Image, of: Callable[[int], float]) -> Image.Image:
    return band.point([max(0, min(255, round(of(level)))) for level in range(256)])
