"""From a template to what the image API is told: which words, and what is remembered of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.generation.rendering import KEYED
from streamerstudio.generation.v1 import job_pb2
from streamerstudio.type.v1.asset_type_pb2 import overlay
from tests.fakes.nano_banana import KEY, FakeNanoBanana
from tests.generation_service import running_studio
from tests.nats import NatsServer

GREEN = "#00FF00"
"""The key colour for a kit in the first one's red."""


@pytest.mark.parametrize(("version", "ours"), [("v1.0", 1), ("v1.1", 0), ("latest", 0)])
async def test_an_overlay_s_key_colour_is_asked_for_once(
    tmp_path: Path, nats: NatsServer, version: str, ours: int
) -> None:
    async with FakeNanoBanana() as api:
        provider = {"STUDIO_PROVIDER": "nano_banana", "NANO_BANANA_BASE_URL": api.url, "NANO_BANANA_API_KEY": KEY}
        async with running_studio(tmp_path, nats.url, **provider) as studio:
            job = await studio.a_job_of("ada", asset_type=overlay, template_version=version)

            done = await studio.ended("ada", job.id)

    (made,) = api.ledger
    assert done.status == job_pb2.completed
    assert made.prompt.count(GREEN) == 1
    assert made.prompt.count(KEYED.format(key=GREEN)) == ours
