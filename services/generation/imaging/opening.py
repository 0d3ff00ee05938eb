"""Looks at the middle of an overlay, where the game is to be seen."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageStat

from services.generation.imaging.refusals import NOT_OPEN, NOTHING_LEFT, refused

LEAST_OPEN = 0.6
"""Of the middle, which is half of the picture's width and height: how much is to be empty."""
LEAST_SOLID = 0.01
"""Of the picture: how much is to be there."""

_EMPTY, _SOLID = 8, 200
"""Alpha: up to the first nothing is seen, from the second on something plainly is."""
_SAMPLE = 256
_CELLS = range(4, 65)
_LEAST_STEP = 12
_REGULAR = 0.8
_PALE = 24


def middle(image: Image.Image) -> Image.Image:
    """The part in the centre, half as wide and high."""
    width, height = image.size
    return image.crop((width // 4, height // 4, max(width - width // 4, 1), max(height - height // 4, 1)))


def is_open(alpha: Image.Image) -> bool:
    """Whether enough of the middle is empty."""
    return _share(middle(alpha), 0, _EMPTY) >= LEAST_OPEN


def require_opening(image: Image.Image) -> None:
    """Raises RenderFailed unless the overlay shows the game in its middle, and something of itself."""
    alpha = image.getchannel("A")
    if not is_open(alpha):
        raise refused(NOT_OPEN)
    if _share(alpha, _SOLID, 255) < LEAST_SOLID:
        raise refused(NOTHING_LEFT)


def is_checkered(image: Image.Image) -> bool:
    """Whether the middle shows the board of grey squares by which programs show transparency.

    It is not removed: models paint it unevenly, and in the same white and grey as outlines and letters.
    """
    sample = _sample(image)
    if ImageStat.Stat(_saturation(sample)).mean[0] > _PALE:
        return False
    tones = sample.convert("L")
    mean = ImageStat.Stat(tones).mean[0]
    if ImageStat.Stat(tones).stddev[0] < _LEAST_STEP / 2:
        return False
    board = tones.point([255 * (level > mean) for level in range(256)])
    return any(_alternates(board, cell) for cell in _CELLS if 2 * cell < min(board.size))


def _alternates(board: Image.Image, cell: int) -> bool:
    """One square on, to the right or down, there is the other tone; one on in both directions, the same."""
    right, down, both = (_differing(board, *shift) for shift in ((cell, 0), (0, cell), (cell, cell)))
    return min(right, down, 1 - both) >= _REGULAR


def _differing(board: Image.Image, x: int, y: int) -> float:
    width, height = board.width - x, board.height - y
    there = board.crop((x, y, x + width, y + height))
    return ImageStat.Stat(ImageChops.difference(board.crop((0, 0, width, height)), there)).mean[0] / 255


def _sample(image: Image.Image) -> Image.Image:
    left, top = max(image.width - _SAMPLE, 0) // 2, max(image.height - _SAMPLE, 0) // 2
    return image.crop((left, top, min(left + _SAMPLE, image.width), min(top + _SAMPLE, image.height)))


def _saturation(image: Image.Image) -> Image.Image:
    red, green, blue = image.split()
    highest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    return ImageChops.subtract(highest, ImageChops.darker(ImageChops.darker(red, green), blue))


def _share(band: Image.Image, first: int, last: int) -> float:
    counts = band.histogram()
    return sum(counts[first : last + 1]) / sum(counts)
