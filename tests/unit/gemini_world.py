"""A Gemini provider, the server it calls, and the paid calls of one item."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import strategies as st

from services.generation.domain import AssetType, BrandKitContext, Picture, RenderFailed, RenderRequest
from services.generation.providers.gemini import GeminiProvider
from services.generation.providers.timing import Timing
from services.generation.states import Failure
from tests.builders import NOON
from tests.fakes.gemini import KEY, FakeGemini
from tests.fakes.paid_calls import InMemoryPaidCalls

PROMPT = "A dragon over a castle in #FF0055"

_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["SAFETY", "data:image/"])
)
_NAMES = st.sampled_from(
    ["candidates", "content", "parts", "inlineData", "inline_data", "data", "text", "thought", "finishReason",
     "promptFeedback", "blockReason", "error", "details"]
) | st.text(max_size=3)  # fmt: skip
GARBAGE = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=5), max_leaves=25
)
"""JSON of any shape, in words that the API uses."""


def a_request(asset_type: AssetType = AssetType.THUMBNAIL, **changes: Any) -> RenderRequest:
    """One picture to be made."""
    kit = BrandKitContext(("#FF0055",), (), "Montserrat", "Inter", "competitive")
    values = {"job_id": "job", "item": 0, "asset_type": asset_type, "prompt": PROMPT, "words": "", "brand_kit": kit}
    return RenderRequest(**{**values, "seed": 7, **changes})


@dataclass
class World:
    """What a test sees of a render."""

    fake: FakeGemini
    http: httpx.AsyncClient
    calls: InMemoryPaidCalls = field(default_factory=InMemoryPaidCalls)
    waits: list[float] = field(default_factory=list)

    def provider(self, **settings: Any) -> GeminiProvider:
        timing = Timing(sleep=self._sleep, jitter=lambda: 0.0, now=lambda: NOON)
        values = {"api_key": KEY, "base_url": self.fake.url, "timing": timing}
        return GeminiProvider(self.http, **{**values, **settings})

    async def render(self, request: RenderRequest | None = None, **settings: Any) -> Picture:
        return await self.provider(**settings).render(request or a_request(), self.calls)

    async def failure(self, **settings: Any) -> Failure:
        """How a render fails that has to."""
        try:
            picture = await self.render(**settings)
        except RenderFailed as failed:
            return failed.failure
        raise AssertionError(f"there is a picture: {picture.content_type}")

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@asynccontextmanager
async def gemini_world() -> AsyncIterator[World]:
    """The server runs as long as the block."""
    async with FakeGemini().running() as fake, httpx.AsyncClient(trust_env=False) as http:
        yield World(fake, http)
