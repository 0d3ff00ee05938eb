"""The provider: exact sizes, the same bytes for the same request, and an event loop that goes on."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import subprocess
import sys

import pytest
from PIL import Image, ImageChops, ImageStat

from services.generation.domain import ASSET_DIMENSIONS, AssetType, Picture, RenderRequest
from services.generation.providers.sketch import SketchProvider
from tests.sketches import TONES, NothingToPay, a_kit, a_request

TWO_MEGABYTES = 2 * 1024 * 1024


async def drawn(request: RenderRequest) -> Picture:
    return await SketchProvider().render(request, NothingToPay())


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def share_changed(one: Image.Image, other: Image.Image) -> float:
    """How much of two pictures a person would call different, 0 to 1."""
    difference = ImageChops.difference(one, other).convert("L")
    return ImageStat.Stat(difference.point([255 * (value > 24) for value in range(256)])).mean[0] / 255


@pytest.mark.parametrize("asset_type", AssetType)
async def test_a_picture_is_a_png_of_exactly_the_assets_size(asset_type: AssetType) -> None:
    picture = await drawn(a_request(asset_type))

    assert picture.content_type == "image/png"
    assert opened(picture.data).format == "PNG"
    assert opened(picture.data).size == ASSET_DIMENSIONS[asset_type]


@pytest.mark.parametrize("tone", TONES)
async def test_a_thumbnail_stays_far_below_what_youtube_takes(tone: str) -> None:
    picture = await drawn(a_request(brand_kit=a_kit(tone=tone)))

    assert len(picture.data) < TWO_MEGABYTES / 2


async def test_pictures_drawn_side_by_side_are_those_drawn_one_by_one() -> None:
    requests = [a_request(AssetType.BANNER, seed=seed) for seed in range(4)]
    one, many = SketchProvider(threads=1), SketchProvider(threads=4)

    together = await asyncio.gather(*(many.render(request, NothingToPay()) for request in requests))

    assert together == [await one.render(request, NothingToPay()) for request in requests]


async def test_the_event_loop_goes_on_while_a_picture_is_drawn() -> None:
    drawing = asyncio.create_task(drawn(a_request(AssetType.STORY_GRAPHIC)))

    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert not drawing.done()
    await drawing


async def test_another_process_draws_the_same_bytes() -> None:
    script = (
        "import asyncio, hashlib; from services.generation.providers.sketch import SketchProvider;"
        "from tests.sketches import NothingToPay, a_request;"
        "print(hashlib.sha256(asyncio.run(SketchProvider().render(a_request(), NothingToPay())).data).hexdigest())"
    )
    ours = await drawn(a_request())

    theirs = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONHASHSEED": "12345"},
    )  # fmt: skip

    assert theirs.stdout.strip() == hashlib.sha256(ours.data).hexdigest()


async def test_the_job_and_the_prompt_do_not_change_the_picture() -> None:
    one = await drawn(a_request(job_id="job-1", prompt="One."))
    other = await drawn(a_request(job_id="job-2", prompt="Another."))

    assert one == other


@pytest.mark.parametrize("asset_type", AssetType)
async def test_variations_look_different(asset_type: AssetType) -> None:
    pictures = [await drawn(a_request(asset_type, item=item, seed=7 + item)) for item in range(4)]

    seen = [opened(picture.data).convert("RGB").reduce(8) for picture in pictures]
    changed = [share_changed(one, other) for place, one in enumerate(seen) for other in seen[:place]]
    # An overlay is mostly empty.
    assert min(changed) > 0.005
