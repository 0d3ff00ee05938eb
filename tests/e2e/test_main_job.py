"""From a streamer's words to a picture of exactly the right size, through every part."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
from collections.abc import Callable

import httpx
import pytest
from PIL import Image

from deploy.local.background import BackgroundSystem
from tests.databases import on_both_databases
from tests.e2e.apps import create_kit, events, finished, generate

SIZES = {
    "thumbnail": (1280, 720),
    "overlay": (1920, 1080),
    "banner": (1200, 480),
    "story_graphic": (1080, 1920),
    "clip_cover": (1080, 1080),
}
SECONDS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@on_both_databases
@pytest.mark.parametrize("asset_type", SIZES)
async def test_every_asset_type_comes_out_at_exactly_its_size(client: httpx.AsyncClient, asset_type: str) -> None:
    kit = await create_kit(client)
    job = await generate(client, kit["id"], asset_type, custom_prompt="Finals tonight")

    done = await finished(client, job["id"])
    [asset] = done["assets"]
    picture = await client.get(asset["url"], headers={"Authorization": ""})

    with Image.open(io.BytesIO(picture.content)) as image:
        image.load()
        assert image.size == SIZES[asset_type] == (asset["width"], asset["height"])
        assert image.format == "PNG" and picture.headers["content-type"] == "image/png"
        if asset_type == "overlay":
            assert image.convert("RGBA").getpixel((960, 400))[3] == 0  # type: ignore[index]
    assert asset["file_size"] == len(picture.content)


async def test_a_job_reads_to_the_letter_as_the_apps_expect(client: httpx.AsyncClient) -> None:
    kit = await create_kit(client)

    job = await generate(client, kit["id"], custom_prompt="Epic gaming moment with explosions", unknown_field=[1])
    done = await finished(client, job["id"])

    assert set(job) == {
        "id", "user_id", "brand_kit_id", "asset_type", "status", "progress", "created_at", "updated_at", "count",
    }  # fmt: skip
    assert (job["status"], job["progress"], job["count"]) == ("queued", 0, 1)
    assert UUID.fullmatch(job["id"]) and SECONDS.fullmatch(job["created_at"])
    assert set(done) == {*job, "completed_at", "assets"}
    assert (done["status"], done["progress"]) == ("completed", 100)
    [asset] = done["assets"]
    assert set(asset) == {
        "id", "job_id", "user_id", "asset_type", "url", "width", "height", "file_size", "is_public", "created_at",
    }  # fmt: skip
    assert asset["is_public"] is False and asset["job_id"] == job["id"] and asset["user_id"] == job["user_id"]


async def test_a_batch_makes_as_many_different_pictures_as_asked(client: httpx.AsyncClient) -> None:
    kit = await create_kit(client)

    job = await generate(client, kit["id"], "clip_cover", count=4, custom_prompt="Four of a kind", seed=3)
    done = await finished(client, job["id"])

    pictures = [await client.get(asset["url"]) for asset in done["assets"]]
    assert len({hashlib.sha256(picture.content).digest() for picture in pictures}) == 4
    listed = (await client.get(f"/api/v1/jobs/{job['id']}/assets")).json()
    assert [asset["id"] for asset in listed] == [asset["id"] for asset in done["assets"]]


async def test_the_same_seed_makes_the_same_picture(client: httpx.AsyncClient) -> None:
    kit = await create_kit(client)
    hashes = []

    for _ in range(2):
        job = await finished(
            client, (await generate(client, kit["id"], "banner", seed=11, custom_prompt="Again"))["id"]
        )
        hashes.append(hashlib.sha256((await client.get(job["assets"][0]["url"])).content).hexdigest())

    assert hashes[0] == hashes[1]


async def test_without_a_kit_the_active_one_is_used(client: httpx.AsyncClient) -> None:
    kit = await create_kit(client)
    none_active = await client.post("/api/v1/generate", json={"asset_type": "banner"})
    await client.post(f"/api/v1/brand-kits/{kit['id']}/activate")

    job = (await client.post("/api/v1/generate", json={"asset_type": "banner", "brand_kit_id": None})).json()

    assert none_active.status_code == 400 and "brand_kit_id" in none_active.json()["message"]
    assert job["brand_kit_id"] == kit["id"]


async def test_a_job_without_assets_lists_an_empty_array(client: httpx.AsyncClient) -> None:
    kit = await create_kit(client)
    job = await finished(client, (await generate(client, kit["id"], "banner"))["id"])

    await client.delete(f"/api/v1/assets/{job['assets'][0]['id']}")

    assert (await client.get(f"/api/v1/jobs/{job['id']}/assets")).text.replace(" ", "") == "[]"
    assert (await client.get(f"/api/v1/jobs/{job['id']}")).json()["assets"] == []


async def test_the_stream_tells_the_whole_story_and_ends_with_the_end(client: httpx.AsyncClient) -> None:
    kit = await create_kit(client)
    job = await generate(client, kit["id"])

    seen = [event async for event in events(client, job["id"])]

    ids = [int(event["event_id"]) for event in seen]
    progress = [event["progress"] for event in seen if "progress" in event]
    assert ids == sorted(ids) and progress == sorted(progress)
    assert [event["type"] for event in seen].count("completed") == 1
    last = seen[-1]
    assert (last["type"], last["status"], last["progress"]) == ("completed", "completed", 100)
    polled = await finished(client, job["id"])
    assert without_urls(last["job"]) == without_urls(polled)
    assert last["asset"]["id"] == polled["assets"][0]["id"]


async def test_a_stream_of_an_unchanged_job_starts_with_a_heartbeat(client: httpx.AsyncClient) -> None:
    kit = await create_kit(client)
    job = await finished(client, (await generate(client, kit["id"]))["id"])
    [only] = [event async for event in events(client, job["id"])]

    again = [event async for event in events(client, job["id"], after=only["event_id"])]

    assert again[0] == {"event_id": only["event_id"], "type": "heartbeat"}
    assert again[-1]["type"] == "completed"


async def test_a_kit_that_is_missing_or_somebody_elses_is_refused_at_once(
    sign_in: Callable[[], httpx.AsyncClient],
) -> None:
    ada, grace = sign_in(), sign_in()
    kit = await create_kit(grace)

    missing = await ada.post(
        "/api/v1/generate", json={"asset_type": "banner", "brand_kit_id": "00000000-0000-4000-8000-000000000000"}
    )
    foreign = await ada.post("/api/v1/generate", json={"asset_type": "banner", "brand_kit_id": kit["id"]})

    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "BRAND_KIT_NOT_FOUND")
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "NOT_OWNER")
    assert (await ada.get("/api/v1/jobs")).json() == {"jobs": [], "total": 0, "limit": 20, "offset": 0}


async def test_nobody_sees_what_is_not_theirs(sign_in: Callable[[], httpx.AsyncClient]) -> None:
    ada, grace = sign_in(), sign_in()
    job = await finished(ada, (await generate(ada, (await create_kit(ada))["id"], "banner"))["id"])
    asset = job["assets"][0]

    answers = [
        await grace.get(f"/api/v1/jobs/{job['id']}"),
        await grace.get(f"/api/v1/jobs/{job['id']}/assets"),
        await grace.get(f"/api/v1/jobs/{job['id']}/stream"),
        await grace.get(f"/api/v1/assets/{asset['id']}"),
        await grace.put(f"/api/v1/assets/{asset['id']}/visibility", json={"is_public": True}),
        await grace.delete(f"/api/v1/assets/{asset['id']}"),
    ]

    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [(403, "NOT_OWNER")] * 6
    assert (await grace.get("/api/v1/assets")).json()["total"] == 0


async def test_an_asset_is_shared_and_taken_back(system: BackgroundSystem, client: httpx.AsyncClient) -> None:
    kit = await create_kit(client)
    job = await finished(client, (await generate(client, kit["id"], "banner"))["id"])
    [asset] = job["assets"]
    async with httpx.AsyncClient(base_url=system.url, trust_env=False) as anybody:
        private = await anybody.get(f"/asset/{asset['id']}")
        shared = (await client.put(f"/api/v1/assets/{asset['id']}/visibility", json={"is_public": True})).json()
        by_id, by_url = await anybody.get(f"/asset/{asset['id']}"), await anybody.get(shared["url"])
        old_link = await anybody.get(asset["url"])
        taken = (await client.patch(f"/api/v1/assets/{asset['id']}/visibility", json={"is_public": False})).json()
        gone, by_old_url = await anybody.get(f"/asset/{asset['id']}"), await anybody.get(shared["url"])
        signed = await anybody.get(taken["url"])

    assert private.status_code == 404 and shared["is_public"] is True
    assert by_id.status_code == by_url.status_code == 200 and by_id.content == by_url.content
    assert by_id.headers["cache-control"] == "no-cache"
    assert old_link.status_code == 403
    assert gone.status_code == 404 and by_old_url.status_code == 403
    assert signed.content == by_id.content


async def test_a_deleted_asset_is_gone_with_its_bytes(client: httpx.AsyncClient) -> None:
    kit = await create_kit(client)
    job = await finished(client, (await generate(client, kit["id"], "banner"))["id"])
    [asset] = job["assets"]

    deleted = await client.delete(f"/api/v1/assets/{asset['id']}")
    again = await client.delete(f"/api/v1/assets/{asset['id']}")

    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (again.status_code, again.json()["error"]["code"]) == (404, "ASSET_NOT_FOUND")
    assert (await client.get(asset["url"])).status_code == 403


@on_both_databases
async def test_fifty_jobs_of_many_users_all_end(sign_in: Callable[[], httpx.AsyncClient]) -> None:
    users = [sign_in() for _ in range(10)]
    kits = await asyncio.gather(*(create_kit(user) for user in users))
    jobs = await asyncio.gather(
        *(generate(user, kit["id"], "banner") for user, kit in zip(users, kits, strict=True) for _ in range(5))
    )

    owners = [user for user in users for _ in range(5)]
    done = await asyncio.gather(*(finished(owner, job["id"], 60) for owner, job in zip(owners, jobs, strict=True)))

    assert {job["status"] for job in done} == {"completed"}


def without_urls(job: dict[str, object]) -> dict[str, object]:
    """Links are signed anew at each reading."""
    assets = job["assets"]
    assert isinstance(assets, list)
    return {**job, "assets": [{**asset, "url": ""} for asset in assets]}
