"""Pixels that are exactly right, whatever an image API returned."""

from services.generation.imaging.conforming import Imaging, conform
from services.generation.imaging.keys import KEY_COLOR, key_color_for

__all__ = ["KEY_COLOR", "Imaging", "conform", "key_color_for"]
