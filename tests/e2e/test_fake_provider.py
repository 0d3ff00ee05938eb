"""A user tries the whole system without a key, as `studio fake-provider` says."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from pathlib import Path

import pytest

from tests.e2e.apps import create_kit, finished, generate
from tests.systems import client_for, running_system


@pytest.mark.parametrize("api", ["nano_banana", "gemini"])
async def test_the_fake_provider_says_how_to_use_it_and_works_so(tmp_path: Path, api: str) -> None:
    fake = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "clients.cli", "fake-provider", api, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert fake.stdout is not None
        await asyncio.wait_for(fake.stdout.readline(), 20)
        await asyncio.wait_for(fake.stdout.readline(), 20)
        said = (await asyncio.wait_for(fake.stdout.readline(), 20)).decode()
        variables = dict(re.findall(r"([A-Z_]+)=(\S+)", said))

        with running_system(tmp_path, **variables) as system:
            async with client_for(system, "ada") as client:
                kit = await create_kit(client)
                jobs = [await generate(client, kit["id"], kind) for kind in ("thumbnail", "overlay", "banner")]
                done = [await finished(client, job["id"]) for job in jobs]
    finally:
        fake.send_signal(signal.SIGINT)
        await fake.wait()

    assert [job["status"] for job in done] == ["completed"] * 3, [job.get("error") for job in done]
    assert [(job["assets"][0]["width"], job["assets"][0]["height"]) for job in done] == [
        (1280, 720), (1920, 1080), (1200, 480),
    ]  # fmt: skip
