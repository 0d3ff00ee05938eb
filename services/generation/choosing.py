"""Which provider makes the pictures: from a setting to one that is ready to be asked."""

from __future__ import annotations

from contextlib import AsyncExitStack

import httpx

from chassis.service import StartRefused
from services.generation.picture_ports import ImageProvider
from services.generation.providers.gemini import GeminiProvider, ModelUnavailable
from services.generation.providers.gemini_sizes import ImageConfig
from services.generation.providers.nano_banana import NanoBananaProvider
from services.generation.providers.nano_banana_client import NanoBananaClient
from services.generation.providers.sketch import SketchProvider
from services.generation.settings import Settings

UNLIMITED = httpx.Limits(max_connections=None)
"""The worker bounds how many calls there are at once; to wait for a connection here would use up their time."""


async def open_provider(settings: Settings, stack: AsyncExitStack) -> ImageProvider:
    """Makes the provider that `STUDIO_PROVIDER` names; the stack closes what it holds.

    Raises:
        StartRefused: its model cannot be used as things are set.
    """
    if settings.provider == "nano_banana":
        return _nano_banana(settings, stack)
    if settings.provider == "gemini":
        return await _gemini(settings, stack)
    return SketchProvider(threads=settings.render_concurrency)


def _nano_banana(settings: Settings, stack: AsyncExitStack) -> NanoBananaProvider:
    assert settings.nano_banana_api_key is not None  # the settings see to that
    key = settings.nano_banana_api_key.get_secret_value()
    client = NanoBananaClient(key, settings.nano_banana_base_url, settings.nano_banana_timeout)
    stack.push_async_callback(client.close)
    return NanoBananaProvider(client)


async def _gemini(settings: Settings, stack: AsyncExitStack) -> GeminiProvider:
    assert settings.gemini_api_key is not None  # the settings see to that
    http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, limits=UNLIMITED))
    provider = GeminiProvider(
        http,
        api_key=settings.gemini_api_key.get_secret_value(),
        model=settings.gemini_model,
        base_url=settings.gemini_base_url,
        sizes={asset_type: ImageConfig(*size) for asset_type, size in settings.gemini_sizes.items()},
    )
    try:
        await provider.probe()
    except ModelUnavailable as error:
        raise StartRefused(str(error)) from error
    return provider
