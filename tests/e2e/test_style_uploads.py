"""A picture that a streamer brought lends its style to those that are made; what the image API saw is the judge."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.background import BackgroundSystem
from tests.e2e.apps import Json, create_kit, finished, generate
from tests.fakes.gemini import KEY, FakeGemini, Shown
from tests.pictures import a_picture
from tests.queueing import eventually
from tests.systems import client_for, running_beside

pytestmark = pytest.mark.timeout(300)

PICTURE = a_picture(400, 300)
GONE = {"reason": "UPLOAD_NOT_FOUND", "stage": "render", "retryable": False}


@dataclass(frozen=True, slots=True)
class World:
    """A system whose pictures a Gemini model makes, and an app of one user."""

    system: BackgroundSystem
    client: httpx.AsyncClient
    api: FakeGemini
    data: Path

    async def upload(self, client: httpx.AsyncClient | None = None) -> Json:
        answer = await (client or self.client).post("/api/v1/uploads", content=PICTURE)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def kit(self, upload: Json, words: str = "") -> str:
        return str((await create_kit(self.client, style_reference=f"upload:{upload['id']} {words}"))["id"])

    def kept(self) -> list[Path]:
        return list((self.data / "blobs" / "uploads").iterdir())


@asynccontextmanager
async def running_world(data: Path) -> AsyncIterator[World]:
    async with FakeGemini().running() as api:
        variables = {"STUDIO_PROVIDER": "gemini", "GEMINI_BASE_URL": api.url, "GEMINI_API_KEY": KEY}
        async with running_beside(data, **variables) as system, client_for(system, "ada") as client:
            yield World(system, client, api, data)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        yield world


@pytest.mark.usefixtures("each_database")
async def test_the_model_sees_exactly_what_is_kept_and_reads_no_id(world: World) -> None:
    upload = await world.upload()
    kit_id = await world.kit(upload, "its grainy light")
    stored = (await world.client.get(upload["url"], headers={"Authorization": ""})).content

    done = await finished(world.client, (await generate(world.client, kit_id, "banner", count=2))["id"])
    plain = await finished(
        world.client, (await generate(world.client, (await create_kit(world.client))["id"], "banner"))["id"]
    )

    assert done["status"] == plain["status"] == "completed"
    *styled, without = world.api.ledger
    assert len(styled) == 2
    for call in styled:
        assert call.images == (Shown("image/jpeg", hashlib.sha256(stored).hexdigest(), upload["file_size"]),)
        assert "<style>its grainy light</style>" in call.prompt
        assert "the palette of this brief wins" in call.prompt
        assert upload["id"] not in call.prompt
    assert without.images == () and "style reference" not in without.prompt


async def test_nobody_borrows_from_what_is_somebody_elses(world: World) -> None:
    async with client_for(world.system, "bob") as bob:
        bobs = await world.upload(bob)
    kit = {"name": "Mine", "primary_colors": ["#FF0055"], "fonts": {"headline": "Inter", "body": "Inter"}}

    answers = [
        await world.client.post("/api/v1/brand-kits", json={**kit, "style_reference": f"upload:{upload_id}"})
        for upload_id in (bobs["id"], "00000000-0000-4000-8000-000000000000")
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["error"]["message"] == "style_reference: you have no such upload"


async def test_a_job_whose_upload_was_deleted_fails_and_nothing_is_paid(world: World) -> None:
    upload = await world.upload()
    kit_id = await world.kit(upload)
    assert (await world.client.delete(f"/api/v1/uploads/{upload['id']}")).status_code == 204

    failed = await finished(world.client, (await generate(world.client, kit_id, "banner", count=2))["id"])
    await world.client.put(f"/api/v1/brand-kits/{kit_id}", json={"style_reference": ""})
    again = await world.client.post(f"/api/v1/jobs/{failed['id']}:retry")
    made = await finished(world.client, again.json()["id"])

    assert (failed["status"], failed["error"]) == ("failed", GONE)
    assert failed["error_message"].startswith("The picture that your brand kit takes its style from is gone.")
    assert made["status"] == "completed"
    assert [call.images for call in world.api.ledger] == [(), ()]


async def test_a_job_waits_for_storage_before_anything_is_paid(world: World) -> None:
    kit_id = await world.kit(await world.upload())
    await asyncio.to_thread(world.system.stop_part, "storage")

    job = await generate(world.client, kit_id, "banner")

    async def is_begun() -> bool:
        return bool((await world.client.get(f"/api/v1/jobs/{job['id']}")).json().get("status") == "processing")

    await eventually(is_begun)
    assert world.api.ledger == []
    await asyncio.to_thread(world.system.start_part, "storage")
    done = await finished(world.client, job["id"], 60)

    assert done["status"] == "completed"
    assert [len(call.images) for call in world.api.ledger] == [1]


async def test_storage_that_is_killed_in_the_middle_of_an_upload_keeps_nothing_of_it(world: World) -> None:
    begun, killed = asyncio.Event(), asyncio.Event()

    async def in_halves() -> AsyncIterator[bytes]:
        yield PICTURE[: len(PICTURE) // 2]
        begun.set()
        await killed.wait()
        yield PICTURE[len(PICTURE) // 2 :]

    pid = world.system.pid("storage")
    call = asyncio.create_task(world.client.post("/api/v1/uploads", content=in_halves()))
    await begun.wait()
    world.system.kill("storage", signal.SIGKILL)
    killed.set()
    # The gateway says so, or hangs up on who goes on sending.
    [answer] = await asyncio.gather(call, return_exceptions=True)

    async def is_back() -> bool:
        listed = await world.client.get("/api/v1/uploads")
        return listed.status_code == 200 and world.system.pid("storage") != pid

    await eventually(is_back)
    assert isinstance(answer, httpx.TransportError | httpx.Response)
    assert isinstance(answer, httpx.TransportError) or answer.status_code in (502, 503)
    assert (await world.client.get("/api/v1/uploads")).json()["total"] == 0
    assert world.kept() == []
    await world.upload()
    assert len(world.kept()) == 1
