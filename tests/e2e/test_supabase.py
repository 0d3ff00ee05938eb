"""The whole system on Supabase Storage."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image

from deploy.local.background import BackgroundSystem
from tests.e2e.apps import Json, create_kit, finished, generate
from tests.fakes.supabase import FakeSupabase
from tests.fakes.supabase_tokens import SERVICE_KEY
from tests.queueing import eventually
from tests.systems import client_for, running_beside

pytestmark = pytest.mark.timeout(300)

TYPES = ("thumbnail", "overlay", "banner", "story_graphic", "clip_cover")


@dataclass(frozen=True, slots=True)
class World:
    """A system, an app of one user, and where the pictures are."""

    system: BackgroundSystem
    client: httpx.AsyncClient
    kit: str
    storage: FakeSupabase
    anybody: httpx.AsyncClient

    async def made(self, asset_type: str = "banner") -> Json:
        job = await finished(self.client, (await generate(self.client, self.kit, asset_type))["id"], 60)
        assert job["status"] == "completed", job
        [asset] = job["assets"]
        return dict(asset)

    async def publish(self, asset: Json, is_public: bool) -> Json:
        response = await self.client.put(f"/api/v1/assets/{asset['id']}/visibility", json={"is_public": is_public})
        assert response.status_code == 200, response.text
        return dict(response.json())

    async def status(self, url: str) -> int:
        return (await self.anybody.get(url)).status_code

    async def is_not_ready(self) -> bool:
        return (await self.client.get("/readyz")).status_code == 503

    async def lists(self) -> bool:
        return (await self.client.get("/api/v1/assets")).status_code == 200

    async def listed(self) -> list[Json]:
        response = await self.client.get("/api/v1/assets")
        assert response.status_code == 200, response.text
        return list(response.json()["assets"])


@asynccontextmanager
async def on_supabase(data_dir: Path, **variables: str) -> AsyncIterator[World]:
    async with FakeSupabase() as storage, httpx.AsyncClient(trust_env=False) as anybody:
        known = {"STUDIO_STORAGE": "supabase", "SUPABASE_URL": storage.url, "SUPABASE_SERVICE_KEY": SERVICE_KEY}
        async with running_beside(data_dir, **{**known, **variables}) as system, client_for(system, "ada") as client:
            yield World(system, client, (await create_kit(client))["id"], storage, anybody)


async def test_pictures_of_every_type_are_made_shown_shared_and_deleted(tmp_path: Path) -> None:
    async with on_supabase(tmp_path) as world:
        assets = [await world.made(asset_type) for asset_type in TYPES]
        listed = await world.listed()
        for asset in listed:
            picture = await world.anybody.get(asset["url"])
            with Image.open(io.BytesIO(picture.content)) as image:
                assert image.size == (asset["width"], asset["height"])
            assert len(picture.content) == asset["file_size"]
        assert [asset["id"] for asset in listed] == [asset["id"] for asset in reversed(assets)]
        assert all(asset["url"].startswith(world.storage.url) for asset in listed)

        public = await world.publish(assets[0], True)
        shared = f"{world.system.url}/asset/{public['id']}"
        assert [await world.status(url) for url in (assets[0]["url"], public["url"], shared)] == [400, 200, 200]
        private = await world.publish(assets[0], False)
        urls = (assets[0]["url"], public["url"], shared, private["url"])
        assert [await world.status(url) for url in urls] == [400, 400, 404, 200]

        for asset in assets:
            assert (await world.client.delete(f"/api/v1/assets/{asset['id']}")).status_code == 204
        assert await world.status(private["url"]) == 400
        assert await world.listed() == []
        assert world.storage.buckets.names() == set()


async def test_while_supabase_is_away_jobs_wait_and_what_was_shown_is_shown(tmp_path: Path) -> None:
    async with on_supabase(tmp_path) as world:
        before = await world.made()
        unseen = await world.made()
        await world.listed()

        await world.storage.close()
        job = await generate(world.client, world.kit, "banner")
        listed = await world.listed()
        refused = await world.client.put(f"/api/v1/assets/{unseen['id']}/visibility", json={"is_public": True})
        await eventually(world.is_not_ready)
        waiting = (await world.client.get(f"/api/v1/jobs/{job['id']}")).json()

        await world.storage.start()
        done = await finished(world.client, job["id"], 60)
        asset = await world.client.get(f"/api/v1/assets/{unseen['id']}")

        assert {each["id"] for each in listed} == {before["id"], unseen["id"]}
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert waiting["status"] in ("queued", "processing")
        assert done["status"] == "completed"
        assert [await world.status(each["url"]) for each in (*done["assets"], asset.json())] == [200, 200]
        assert asset.json()["is_public"] is True


async def test_a_storage_service_that_is_killed_at_any_moment_leaves_nothing_behind(tmp_path: Path) -> None:
    async with on_supabase(tmp_path) as world:
        for _ in range(3):
            jobs = [await generate(world.client, world.kit, "banner") for _ in range(4)]
            world.system.kill("storage")
            done = [await finished(world.client, job["id"], 90) for job in jobs]
            assert {job["status"] for job in done} == {"completed"}

        await eventually(world.lists)  # The jobs may have been done, and read, before the last kill.
        listed = await world.listed()
        assert len(listed) == len(world.storage.buckets.names()) == 12
        assert world.storage.buckets.ever_public == []


async def test_bytes_that_were_taken_away_are_told_and_their_asset_can_be_deleted(tmp_path: Path) -> None:
    async with on_supabase(tmp_path) as world:
        lost, other = await world.made(), await world.made()
        bucket = world.storage.buckets["assets-private"]
        del bucket.objects[httpx.URL(lost["url"]).path.rpartition("/")[2]]

        shown = await world.client.get(f"/api/v1/assets/{lost['id']}")
        published = await world.client.put(f"/api/v1/assets/{lost['id']}/visibility", json={"is_public": True})
        listed = await world.listed()
        deleted = await world.client.delete(f"/api/v1/assets/{lost['id']}")

        assert shown.status_code == 200 and await world.status(shown.json()["url"]) == 400
        assert (published.status_code, published.json()["error"]["code"]) == (500, "STORAGE_ERROR")
        assert {asset["id"] for asset in listed} == {lost["id"], other["id"]}
        assert deleted.status_code == 204
        assert [asset["id"] for asset in await world.listed()] == [other["id"]]
