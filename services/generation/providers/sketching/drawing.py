"""From a request to the bytes of a PNG."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from random import Random

from PIL import Image

from services.generation.domain import AssetType, RenderRequest
from services.generation.providers.sketching import layouts
from services.generation.providers.sketching.canvas import Canvas
from services.generation.providers.sketching.composing import Sketch
from services.generation.providers.sketching.overlay import overlay
from services.generation.providers.sketching.palette import palette_of
from services.generation.providers.sketching.scene import Scene
from services.generation.providers.sketching.style import speech_of, style_of

LAYOUTS: dict[AssetType, Callable[[Sketch], None]] = {
    AssetType.THUMBNAIL: layouts.thumbnail,
    AssetType.OVERLAY: overlay,
    AssetType.BANNER: layouts.banner,
    AssetType.STORY_GRAPHIC: layouts.story_graphic,
    AssetType.CLIP_COVER: layouts.clip_cover,
}


def draw(request: RenderRequest) -> Canvas:
    """The picture asked for; the same request and seed give the same pixels."""
    kit = request.brand_kit
    canvas = Canvas(Image.new("RGBA" if request.asset_type is AssetType.OVERLAY else "RGB", request.size))
    rng = dice(request)
    scene = Scene(canvas, palette_of(kit, rng), rng)
    LAYOUTS[request.asset_type](Sketch(scene, style_of(kit), speech_of(kit, request.words)))
    return canvas


def encode(canvas: Canvas) -> bytes:
    """As PNG; fast rather than small."""
    out = io.BytesIO()
    canvas.image.save(out, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return out.getvalue()


def dice(request: RenderRequest) -> Random:
    """Chance that depends on the request's content and seed alone, in every process."""
    # A string is hashed with SHA-512; anything else would go through the salted hash().
    return Random(f"{request.seed}/{request.item}/{request.asset_type}/{request.words}/{request.brand_kit}")
