"""Says that a picture cannot be used, and why, in a sentence for a streamer."""

from __future__ import annotations

from dataclasses import replace

from services.generation.domain import RenderFailed
from services.generation.failures import failure

NOT_OPEN = "The image service did not leave the middle of the overlay empty. Please try again."
CHECKERED = "The image service painted a checkerboard where the overlay should be empty. Please try again."
NOTHING_LEFT = "The image service sent an overlay with nothing on it. Please try again."


def refused(sentence: str = "") -> RenderFailed:
    """The failure to raise; without a sentence it is the usual one."""
    unusable = failure("INVALID_IMAGE")
    return RenderFailed(replace(unusable, message=sentence) if sentence else unusable)
