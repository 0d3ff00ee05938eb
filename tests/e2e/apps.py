"""What an app does, for tests that are one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

Json = dict[str, Any]

BRAND_KIT: Json = {
    "name": "Gaming Stream Kit",
    "primary_colors": ["#ff0055", "#1A0B2E"],
    "accent_colors": ["#00e5ff"],
    "fonts": {"headline": "Montserrat", "body": "Inter"},
    "tone": "competitive",
}
TERMINAL = ("completed", "failed", "partial")


async def create_kit(client: httpx.AsyncClient, **changes: Any) -> Json:
    """A brand kit of the client's user."""
    response = await client.post("/api/v1/brand-kits", json={**BRAND_KIT, **changes})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def generate(client: httpx.AsyncClient, kit_id: str, asset_type: str = "thumbnail", **more: Any) -> Json:
    """A job that was accepted."""
    response = await client.post("/api/v1/generate", json={"asset_type": asset_type, "brand_kit_id": kit_id, **more})
    assert response.status_code == 201, response.text
    return dict(response.json())


async def finished(client: httpx.AsyncClient, job_id: str, within: float = 30) -> Json:
    """The job once it has ended, polled as the apps do, only sooner."""
    async with asyncio.timeout(within):
        while True:
            response = await client.get(f"/api/v1/jobs/{job_id}")
            if response.status_code == 200 and response.json()["status"] in TERMINAL:
                return dict(response.json())
            await asyncio.sleep(0.05)


async def events(client: httpx.AsyncClient, job_id: str, after: str | None = None) -> AsyncIterator[Json]:
    """The job's stream, until it ends."""
    query = {} if after is None else {"after": after}
    async with client.stream("GET", f"/api/v1/jobs/{job_id}/stream", params=query) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        async for line in response.aiter_lines():
            if line:
                assert line.startswith("data: ")
                yield json.loads(line.removeprefix("data: "))
