"""Brings the colours of a decoded picture to sRGB."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageCms

from chassis.colors import Rgb

_OPAQUE = {"LA": "L", "RGBA": "RGB"}


def in_srgb(image: Image.Image) -> Image.Image:
    """In mode RGBA if it has an alpha channel, else RGB; colours are what its profile says, if that can be read."""
    colors = _converted(image.convert(_OPAQUE.get(image.mode, image.mode)))
    if image.mode in _OPAQUE:
        colors.putalpha(image.getchannel("A"))
    # Pillow would write what it knows about a picture into every file made of it.
    colors.info = {}
    return colors


def flattened(image: Image.Image, color: Rgb) -> Image.Image:
    """The picture without its alpha channel, on a ground of one colour."""
    if image.mode == "RGB":
        return image
    ground = Image.new("RGBA", image.size, color)
    return Image.alpha_composite(ground, image).convert("RGB")


def _converted(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    try:
        converted = _by_profile(image, profile) if profile else None
    except (ImageCms.PyCMSError, OSError):
        # Broken, or made for other pixels than these: then it says nothing about them.
        converted = None
    return converted or image.convert("RGB")


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
