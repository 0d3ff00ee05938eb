"""How near a picture is to its brand goes on to storage with it, whoever made it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from streamerstudio.work.v1.work_pb2 import BrandKitSnapshot, StoreTask
from tests.fakes import gemini, nano_banana
from tests.generation_stages import World, a_render_task, running_world
from tests.nats import NatsServer

PINK_AND_CYAN = BrandKitSnapshot(primary_colors=["#FF0055"], accent_colors=["#00E5FF"])
GREEN = BrandKitSnapshot(primary_colors=["#00AA22"])


async def settings_of(provider: str, stack: AsyncExitStack) -> dict[str, str]:
    match provider:
        case "nano_banana":
            api = await stack.enter_async_context(nano_banana.FakeNanoBanana())
            return {"NANO_BANANA_BASE_URL": api.url, "NANO_BANANA_API_KEY": nano_banana.KEY}
        case "gemini":
            models = await stack.enter_async_context(gemini.FakeGemini().running())
            return {"GEMINI_BASE_URL": models.server.url, "GEMINI_API_KEY": gemini.KEY}
        case _:
            return {}


@pytest.fixture(params=["sketch", "nano_banana", "gemini"])
async def world(request: pytest.FixtureRequest, tmp_path: Path, nats: NatsServer) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        given = {"STUDIO_PROVIDER": request.param, **await settings_of(request.param, stack)}
        yield await stack.enter_async_context(running_world(tmp_path, nats.url, **given))


async def rendered(world: World, brand: BrandKitSnapshot) -> StoreTask:
    """What goes on to storage of a new job; a model is asked for the same colours whatever the brand."""
    task = a_render_task((await world.a_task()).work, brand_kit=brand, prompt="A cat in #FF0055 and #00E5FF.")
    await world.send("work.render", task)
    return StoreTask.FromString((await world.stores.next()).data)


async def test_every_providers_picture_is_measured_against_the_kit_that_it_was_made_for(world: World) -> None:
    task = await rendered(world, PINK_AND_CYAN)

    assert task.HasField("palette_distance")
    assert 0 <= task.palette_distance < 30


async def test_a_model_that_painted_in_other_colours_is_far_from_the_brand(tmp_path: Path, nats: NatsServer) -> None:
    async with AsyncExitStack() as stack:
        given = {"STUDIO_PROVIDER": "nano_banana", **await settings_of("nano_banana", stack)}
        world = await stack.enter_async_context(running_world(tmp_path, nats.url, **given))

        near, far = await rendered(world, PINK_AND_CYAN), await rendered(world, GREEN)

    assert near.palette_distance < far.palette_distance
