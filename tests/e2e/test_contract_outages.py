"""What an app is told while a part is away: 503 and nothing accepted, or a job that waits."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.e2e.apps import create_kit, finished, generate
from tests.systems import client_for, running_system

DOWN = "UNAVAILABLE"


def said(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.timeout(180)
async def test_each_part_is_missed_only_where_it_is_needed(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        async with client_for(system, "ada") as client:
            kit = (await create_kit(client))["id"]
            done = await finished(client, (await generate(client, kit, "banner"))["id"])

            system.stop_part("storage")
            completed = f"/api/v1/jobs/{done['id']}"
            for path in (completed, f"{completed}/assets", f"{completed}/stream", "/api/v1/assets"):
                assert said(await client.get(path)) == (503, DOWN), path
            assert (await client.get("/api/v1/jobs")).json()["total"] == 1
            waiting = await generate(client, kit, "banner")
            system.start_part("storage")
            assert (await finished(client, waiting["id"]))["status"] == "completed"

            system.stop_part("prompt")
            taken_on_trust = await generate(client, kit, "banner")
            refused = await client.post("/api/v1/generate", json={"asset_type": "banner"})
            assert said(refused) == (503, DOWN)
            assert said(await client.get("/api/v1/brand-kits")) == (503, DOWN)
            assert (await client.get("/api/v1/jobs")).json()["total"] == 3
            system.start_part("prompt")
            assert (await finished(client, taken_on_trust["id"]))["status"] == "completed"
