"""Pixels that are exactly right, whatever an image API returned."""

from services.generation.imaging.conforming import Imaging, conform

__all__ = ["Imaging", "conform"]
