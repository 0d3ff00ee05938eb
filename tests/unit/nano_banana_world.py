"""A Nano Banana provider, the API it calls, the paid calls of one item, and a time in which nobody waits."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from services.generation.domain import AssetType, BrandKitContext, Picture, RenderDeferred, RenderFailed, RenderRequest
from services.generation.providers.nano_banana import NanoBananaProvider
from services.generation.providers.nano_banana_client import GenerationRequest, GenerationResponse, NanoBananaClient
from services.generation.providers.timing import Timing
from services.generation.states import Failure
from tests.builders import NOON
from tests.fakes.http_server import Request
from tests.fakes.nano_banana import KEY, FakeNanoBanana, Made
from tests.fakes.paid_calls import InMemoryPaidCalls

PROMPT = "A dragon over a castle in #FF0055"


def a_request(**changes: Any) -> RenderRequest:
    """The first picture of a job: a banner, since it is the smallest."""
    values: dict[str, Any] = {
        "job_id": "job-1", "item": 0, "asset_type": AssetType.BANNER, "prompt": PROMPT, "words": "a dragon",
        "brand_kit": BrandKitContext(("#FF0055",), (), "Montserrat", "Inter", "competitive"), "seed": 7,
    }  # fmt: skip
    return RenderRequest(**{**values, **changes})


@dataclass(slots=True)
class FastTime:
    """Passes when somebody sleeps, and only then."""

    waits: list[float] = field(default_factory=list)
    during_sleep: Callable[[float], Any] | None = None
    """Awaited at each sleep, if it is there."""

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self.during_sleep is not None:
            await self.during_sleep(seconds)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return sum(self.waits)

    def timing(self, jitter: float = 0.0) -> Timing:
        return Timing(self.sleep, lambda: jitter, self.now, self.monotonic)


class Wire(httpx.AsyncHTTPTransport):
    """A real network, on which some calls get lost before they are sent."""

    def __init__(self) -> None:
        super().__init__(verify=False)
        self.lost: deque[Exception | None] = deque()
        """Of each `POST` to come: what happens instead, if anything."""
        self.posts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.posts += 1
            error = self.lost.popleft() if self.lost else None
            if error is not None:
                raise error
        return await super().handle_async_request(request)


@dataclass
class World:
    """What a test sees of a render."""

    api: FakeNanoBanana
    client: NanoBananaClient
    wire: Wire
    time: FastTime
    calls: InMemoryPaidCalls = field(default_factory=InMemoryPaidCalls)

    @property
    def provider(self) -> NanoBananaProvider:
        return NanoBananaProvider(self.client)

    @property
    def posts(self) -> int:
        """How often a paid call was made, whether or not it arrived."""
        return self.wire.posts

    @property
    def waits(self) -> list[float]:
        return self.time.waits

    @property
    def ledger(self) -> list[Made]:
        return self.api.ledger

    @property
    def generated(self) -> list[Request]:
        return self.api.received("POST", "/generate")

    async def generate(self, **changes: Any) -> GenerationResponse:
        request = GenerationRequest(**{"prompt": PROMPT, "width": 64, "height": 36, **changes})
        return await self.client.generate(request, calls=self.calls, idempotency_key="job-1:0")

    async def render(self, request: RenderRequest | None = None) -> Picture:
        return await self.provider.render(request or a_request(), self.calls)

    async def failure(self) -> Failure:
        """How a render fails that has to."""
        try:
            picture = await self.render()
        except RenderFailed as failed:
            return failed.failure
        raise AssertionError(f"there is a picture: {picture.content_type}")

    async def deferred_for(self) -> float:
        """How many seconds a render is put off that has to be."""
        try:
            picture = await self.render()
        except RenderDeferred as deferred:
            return deferred.seconds
        raise AssertionError(f"there is a picture: {picture.content_type}")


@asynccontextmanager
async def nano_banana_world(
    *, honours_keys: bool = True, timeout: float = 30, max_retries: int = 3, jitter: float = 0.0, scheme: str = "http"
) -> AsyncIterator[World]:
    """The API runs as long as the block."""
    async with FakeNanoBanana(honours_keys=honours_keys) as api:
        wire, time = Wire(), FastTime()
        base_url = api.url.replace("http", scheme, 1)
        client = NanoBananaClient(
            KEY, base_url, timeout=timeout, max_retries=max_retries, transport=wire, timing=time.timing(jitter)
        )
        try:
            yield World(api, client, wire, time)
        finally:
            await client.close()
