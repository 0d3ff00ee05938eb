"""The variations of a batch are shown with the nearest to the brand first."""

from __future__ import annotations

import io
from pathlib import Path

import grpc
from PIL import Image

from streamerstudio.storage.v1 import storage_service_pb2 as calls
from streamerstudio.storage.v1.asset_pb2 import AssetRecord
from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceStub
from tests.builders import bearer
from tests.e2e.apps import BRAND_KIT, events
from tests.e2e.paid_world import World, running_world

SEED = 100
NEAREST_FIRST = [2, 3, 1, 0]
"""By the pictures below."""


def painted(*colors: str) -> bytes:
    """As many equal bands."""
    image = Image.new("RGB", (1200, 480))
    for number, color in enumerate(colors):
        left, right = (place * image.width // len(colors) for place in (number, number + 1))
        image.paste(color, (left, 0, right, image.height))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


async def record_of(world: World, asset_id: str) -> AssetRecord:
    """As the people who run it see it."""
    token = world.system.settings.service_token
    assert token is not None
    async with grpc.aio.insecure_channel(f"127.0.0.1:{world.system.settings.storage_port}") as channel:
        record: AssetRecord = await StorageServiceStub(channel).GetAssetRecord(
            calls.GetAssetRecordRequest(asset_id=asset_id), metadata=bearer(token.get_secret_value())
        )
    return record


async def test_the_nearest_to_the_brand_comes_first_once_a_batch_has_ended(tmp_path: Path) -> None:
    brand = [*BRAND_KIT["primary_colors"], *BRAND_KIT["accent_colors"]]
    pictures = [painted("#00AA22"), painted(brand[0]), painted(*brand), painted(*brand, "#808080", "#00AA22")]
    async with running_world(tmp_path, RENDER_CONCURRENCY="1") as world:
        world.api.paints = {SEED + number: picture for number, picture in enumerate(pictures)}

        job = await world.job(count=4, seed=SEED)
        seen = [event async for event in events(world.client, job["id"]) if "job" in event]
        done = await world.completes(job)
        listed = (await world.client.get(f"/api/v1/jobs/{job['id']}/assets")).json()
        records = [await record_of(world, asset["id"]) for asset in done["assets"]]

    assert [made.seed for made in world.api.ledger] == [SEED, SEED + 1, SEED + 2, SEED + 3]
    assert [record.item for record in records] == NEAREST_FIRST
    distances = [record.palette_distance for record in records]
    assert distances[0] < 1 and distances == sorted(distances) and distances[-1] > 40
    shown = [asset["id"] for asset in done["assets"]]
    assert [asset["id"] for asset in listed] == [asset["id"] for asset in seen[-1]["job"]["assets"]] == shown
    assert seen[-1]["asset"]["id"] == shown[0]
    number_of = {record.asset_id: record.item for record in records}
    for event in seen[:-1]:
        numbers = [number_of[asset["id"]] for asset in event["job"]["assets"]]
        assert numbers == sorted(numbers)
    assert "palette_distance" not in str(done)
