"""What is sent to `generateContent` for one picture."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.generation.providers.gemini_sizes import ImageConfig

SEEDS = 2**31
"""A seed is a signed 32-bit number; the negative half is left alone."""
_RESEED = 0x2545F491


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture that the model is shown along with the prompt."""

    data: bytes
    content_type: str


def build_body(prompt: str, config: ImageConfig, seed: int, references: Sequence[Reference] = ()) -> dict[str, Any]:
    """The body of one request, for one picture: asked for several, a model does not always make as many."""
    image_config = {"aspectRatio": config.aspect_ratio}
    if config.image_size is not None:
        image_config["imageSize"] = config.image_size
    return {
        "contents": [{"role": "user", "parts": [{"text": prompt}, *map(_inline, references)]}],
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": image_config,
            "seed": seed % SEEDS,
        },
    }


def another_seed(seed: int) -> int:
    """Far from this one: the next number is the seed of the job's next variation."""
    return (seed % SEEDS) ^ _RESEED


def _inline(reference: Reference) -> dict[str, Any]:
    data = base64.b64encode(reference.data).decode("ascii")
    return {"inlineData": {"mimeType": reference.content_type, "data": data}}
