"""What the Gemini provider finds out before the first picture is asked for."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest

from services.generation.providers.gemini import ModelUnavailable
from tests.fakes.gemini import KEY, Turn
from tests.fakes.gemini_bodies import error, exhausted, no_billing, overloaded
from tests.nats import free_port
from tests.unit.gemini_world import World, gemini_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with gemini_world() as world:
        yield world


async def test_a_model_that_is_there_is_asked_for_once_and_costs_nothing(world: World) -> None:
    await world.provider().probe()

    assert world.fake.targets == ["/v1beta/models/gemini-nano-banana-2.1"]
    assert world.fake.ledger == []


@pytest.mark.parametrize("model", ["gemini-9", "models/gemini-nano-banana-2.1", "../files"])
async def test_a_model_that_is_not_there_names_its_setting(world: World, model: str) -> None:
    with pytest.raises(ModelUnavailable, match="GEMINI_MODEL"):
        await world.provider(model=model).probe()


async def test_a_key_that_is_not_accepted_names_its_setting_and_is_not_told(world: World) -> None:
    with pytest.raises(ModelUnavailable, match="GEMINI_API_KEY") as unavailable:
        await world.provider(api_key="a-wrong-key").probe()

    assert "a-wrong-key" not in str(unavailable.value)


@pytest.mark.parametrize(
    "turn",
    [
        Turn(error(401, "UNAUTHENTICATED", ""), 401),
        Turn(error(403, "PERMISSION_DENIED", ""), 403),
        Turn(no_billing(), 400),
    ],
)
async def test_an_account_that_is_not_served_names_its_setting(world: World, turn: Turn) -> None:
    world.fake.probes.append(turn)

    with pytest.raises(ModelUnavailable, match="GEMINI_API_KEY"):
        await world.provider().probe()


@pytest.mark.parametrize("turn", [Turn(overloaded(), 503), Turn(exhausted(), 429), Turn(b"", 302)])
async def test_a_service_in_trouble_is_no_reason_not_to_start(
    world: World, caplog: pytest.LogCaptureFixture, turn: Turn
) -> None:
    world.fake.probes.append(turn)

    await world.provider().probe()

    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_a_network_in_trouble_is_no_reason_not_to_start(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.provider(base_url=f"http://127.0.0.1:{free_port()}").probe()

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert KEY not in caplog.text
