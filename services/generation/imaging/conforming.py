"""From whatever bytes to a picture of exactly the asset's size, mode and format."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from PIL import Image

from services.generation.domain import ASSET_DIMENSIONS, AssetType, BrandKitContext, Picture
from services.generation.imaging.colors import flattened, in_srgb
from services.generation.imaging.decoding import decode
from services.generation.imaging.encoding import PNG, encode, fits
from services.generation.imaging.fitting import fit, is_larger
from services.generation.imaging.keying import cut_out
from services.generation.imaging.opening import is_open, require_opening
from services.generation.imaging.palette import palette_distance
from services.generation.imaging.pngs import RGB, RGBA, Png, read_png
from services.generation.imaging.sniffing import Kind, sniff

_GROUND = (0, 0, 0)
"""Behind what was left transparent where no transparency was asked for."""


class Imaging:
    """Conforms pictures in threads of its own, a few at a time, beside the event loop."""

    def __init__(self, *, workers: int = 2) -> None:
        """At most `workers` pictures are held decoded at once; the rest wait as the bytes they came as."""
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="imaging")

    async def conform(self, data: bytes, asset_type: AssetType, brand: BrandKitContext) -> Picture:
        """Must raise RenderFailed (INVALID_IMAGE), and nothing else, for what cannot be used."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, conform, data, asset_type, brand)


def conform(data: bytes, asset_type: AssetType, brand: BrandKitContext | None = None) -> Picture:
    """A picture that is right, as it is when it was, else made so; and measured against a brand, if one is given.

    Raises:
        RenderFailed: it cannot be used (INVALID_IMAGE).
    """
    kind = sniff(data)
    png = read_png(data) if kind is Kind.PNG else None
    image = decode(png.inflated if png else data, kind, ASSET_DIMENSIONS[asset_type])
    if png is not None and _is_ready(png, image, asset_type):
        picture = Picture(png.plain, PNG)
    else:
        image = _conformed(image, asset_type)
        picture = encode(image, asset_type)
    return picture if brand is None else replace(picture, palette_distance=palette_distance(image, brand))


def _is_ready(png: Png, image: Image.Image, asset_type: AssetType) -> bool:
    size = ASSET_DIMENSIONS[asset_type]
    if asset_type is not AssetType.OVERLAY:
        return png.is_ready(size, RGB) and fits(png.plain, asset_type)
    if not png.is_ready(size, RGBA) or not is_open(image.getchannel("A")):
        return False
    require_opening(image)
    return True


def _conformed(image: Image.Image, asset_type: AssetType) -> Image.Image:
    # On the fewest pixels: before they are made more, after they are made fewer.
    smaller = fit(image, asset_type) if is_larger(image, asset_type) else image
    colored = in_srgb(smaller)
    if asset_type is not AssetType.OVERLAY:
        return fit(flattened(colored, _GROUND), asset_type)
    overlay = fit(_transparent(colored), asset_type)
    require_opening(overlay)
    return overlay


def _transparent(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGBA" and is_open(image.getchannel("A")) else cut_out(image)
