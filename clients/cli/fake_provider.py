"""`studio fake-provider`: an image API that costs nothing, to try the system without a key."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from enum import StrEnum
from typing import Annotated

import typer


class Api(StrEnum):
    """Which image API."""

    NANO_BANANA = "nano_banana"
    GEMINI = "gemini"


def fake_provider(
    api: Annotated[Api, typer.Argument(help="The image API to stand in for.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0: a free port.")] = 0,
) -> None:
    """Serves a stand-in for an image API until Ctrl-C, and says how to use it."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(api, port))


async def _serve(api: Api, port: int) -> None:
    # They stand in for what costs money in the tests too, and come with the source tree only.
    from tests.fakes import gemini, nano_banana

    async with AsyncExitStack() as stack:
        if api is Api.GEMINI:
            url = (await stack.enter_async_context(gemini.FakeGemini(port=port).running())).url
            key = gemini.KEY
        else:
            url = (await stack.enter_async_context(nano_banana.FakeNanoBanana(port=port))).url
            key = nano_banana.KEY
        name = api.upper()
        print(f"ready {url}; Ctrl-C stops it. In another terminal:\n", flush=True)
        print(f"  STUDIO_PROVIDER={api} {name}_BASE_URL={url} {name}_API_KEY={key} make up", flush=True)
        await asyncio.Event().wait()
