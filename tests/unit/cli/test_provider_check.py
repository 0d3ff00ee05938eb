"""What `studio doctor` says of an image API, asked over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from clients.cli.findings import Finding
from clients.cli.provider_check import check_provider
from tests.fakes import gemini, nano_banana


async def examined(**environ: str) -> Finding:
    return await asyncio.to_thread(check_provider, environ)


async def test_a_sketch_needs_nobody() -> None:
    assert (await examined()).ok


@pytest.mark.parametrize(
    ("changes", "todo"),
    [
        ({}, ""),
        ({"GEMINI_API_KEY": "another"}, "mend GEMINI_API_KEY"),
        ({"GEMINI_API_KEY": ""}, "set GEMINI_API_KEY"),
        ({"GEMINI_MODEL": "gemini-of-yesterday"}, "mend GEMINI_MODEL"),
        ({"GEMINI_BASE_URL": "http://127.0.0.1:1"}, "check GEMINI_BASE_URL"),
        ({"GEMINI_BASE_URL": "no address"}, "check GEMINI_BASE_URL"),
        ({"STUDIO_PROVIDER": "dall-e"}, "set STUDIO_PROVIDER to sketch, nano_banana or gemini"),
    ],
)
async def test_what_is_wrong_with_gemini_is_said_with_the_variable_to_mend(
    changes: Mapping[str, str], todo: str
) -> None:
    async with gemini.FakeGemini().running() as fake:
        good = {"STUDIO_PROVIDER": "gemini", "GEMINI_BASE_URL": fake.url, "GEMINI_API_KEY": gemini.KEY}

        finding = await examined(**{**good, **changes})

    assert (finding.ok, finding.todo) == (not todo, todo)


async def test_nano_banana_may_be_well_or_not() -> None:
    async with nano_banana.FakeNanoBanana() as fake:
        good = {
            "STUDIO_PROVIDER": "nano_banana",
            "NANO_BANANA_BASE_URL": fake.url,
            "NANO_BANANA_API_KEY": nano_banana.KEY,
        }
        well = await examined(**good)
        stranger = await examined(**{**good, "NANO_BANANA_API_KEY": "another"})
        fake.is_well = False
        unwell = await examined(**good)

    assert well.ok
    assert (stranger.ok, stranger.todo) == (False, "mend NANO_BANANA_API_KEY")
    assert not unwell.ok and "status" in unwell.found
