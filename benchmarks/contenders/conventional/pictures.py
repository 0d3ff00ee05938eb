"""Pictures of the right size, on disk."""

from __future__ import annotations

import io
import os

from PIL import Image, ImageOps

from benchmarks.contenders.conventional.settings import settings

SIZES = {
    "thumbnail": (1280, 720), "overlay": (1920, 1080), "banner": (1200, 480), "story_graphic": (1080, 1920),
    "clip_cover": (1080, 1080),
}  # fmt: skip


def conformed(data: bytes, asset_type: str) -> bytes:
    """The picture as it is when its size is right, else cut and scaled."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        if image.size == SIZES[asset_type] and image.format == "PNG":
            return data
        fitted = ImageOps.fit(image.convert("RGB"), SIZES[asset_type], Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    fitted.save(buffer, "PNG")
    return buffer.getvalue()


def keep(key: str, data: bytes) -> None:
    """Returns when the picture is on disk."""
    path = settings().pictures / key
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
