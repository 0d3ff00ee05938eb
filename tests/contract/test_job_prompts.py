"""From a template to what the image API is told: which words, and what is remembered of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from services.generation.rendering import KEYED
from services.prompt.engine import TEMPLATES
from streamerstudio.generation.v1 import job_pb2
from streamerstudio.generation.v1.generation_service_pb2 import ListAttemptsRequest
from streamerstudio.type.v1.asset_type_pb2 import overlay
from tests.fakes.nano_banana import KEY, FakeNanoBanana
from tests.generation_service import AS_SERVICE, running_studio
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


async def test_what_a_job_s_prompts_were_written_from_is_remembered_and_told_to_services(
    tmp_path: Path, nats: NatsServer
) -> None:
    async with running_studio(tmp_path, nats.url) as studio:
        job = await studio.a_job_of("ada", count=2, template_version="latest")
        old = await studio.a_job_of("ada", brand_kit_id=job.brand_kit_id, template_version="v1.0")
        assert [(await studio.ended("ada", each.id)).status for each in (job, old)] == [job_pb2.completed] * 2

        told = [
            await studio.jobs.ListAttempts(ListAttemptsRequest(job_id=each.id), metadata=AS_SERVICE)
            for each in (job, old)
        ]

    assert [(source.item, source.template_version) for source in told[0].prompts] == [(0, "v1.1"), (1, "v1.1")]
    assert [(source.item, source.template_version) for source in told[1].prompts] == [(0, "v1.0")]
    for source in (*told[0].prompts, *told[1].prompts):
        template = (TEMPLATES / "banner" / f"{source.template_version}.yaml").read_bytes()
        assert source.template_hash == hashlib.sha256(template).hexdigest()
