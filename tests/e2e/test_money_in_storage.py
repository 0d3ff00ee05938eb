"""Pictures that were paid for and could not be kept: the job says so, and a retry pays nothing once it is mended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import repeat
from pathlib import Path

import pytest

from tests.e2e.apps import Json, finished
from tests.e2e.test_money import Paying, paying, until
from tests.fakes.supabase import FakeSupabase, instead
from tests.fakes.supabase_answers import denied
from tests.fakes.supabase_tokens import SERVICE_KEY
from tests.queueing import eventually

pytestmark = pytest.mark.timeout(300)

STORAGE_ERROR = {"reason": "STORAGE_ERROR", "stage": "store", "retryable": True}


async def retried(world: Paying, job: Json) -> Json:
    response = await world.client.post(f"/api/v1/jobs/{job['id']}:retry")
    assert response.status_code == 201, response.text
    return await finished(world.client, response.json()["id"], 60)


async def shows(world: Paying, job: Json) -> None:
    """Returns when its picture opens; the gateway hears a moment later of a service that was away."""
    [asset] = job["assets"]

    async def opens() -> bool:
        picture = await world.client.get(asset["url"], headers={"Authorization": ""})
        return picture.status_code == 200 and len(picture.content) == asset["file_size"]

    await eventually(opens)


@asynccontextmanager
async def paying_on_supabase(data_dir: Path) -> AsyncIterator[tuple[Paying, FakeSupabase]]:
    async with FakeSupabase() as storage:
        settings = {"STUDIO_STORAGE": "supabase", "SUPABASE_URL": storage.url, "SUPABASE_SERVICE_KEY": SERVICE_KEY}
        async with paying(data_dir, **settings) as world:
            yield world, storage


@contextmanager
def without_a_bucket(storage: FakeSupabase) -> Iterator[None]:
    bucket = storage.buckets.drop("assets-private")
    yield
    storage.buckets.put_back(bucket)


@contextmanager
def with_a_key_that_is_not_accepted(storage: FakeSupabase) -> Iterator[None]:
    storage.faults = repeat(instead(denied("signature verification failed")))
    yield
    storage.faults = iter(())


@contextmanager
def with_a_limit_that_is_too_low(storage: FakeSupabase) -> Iterator[None]:
    storage.buckets["assets-private"].file_size_limit = 1000
    yield
    storage.buckets["assets-private"].file_size_limit = None


@pytest.mark.timeout(600)
async def test_whatever_an_operator_has_to_mend_at_supabase_costs_nothing_again(tmp_path: Path) -> None:
    causes = (without_a_bucket, with_a_key_that_is_not_accepted, with_a_limit_that_is_too_low)
    async with paying_on_supabase(tmp_path) as (world, storage):
        for paid, cause in enumerate(causes, start=1):
            with cause(storage):
                failed = await finished(world.client, (await world.job())["id"], 60)
            again = await retried(world, failed)

            assert failed["error"] == STORAGE_ERROR, cause
            assert again["status"] == "completed"
            await shows(world, again)
            assert len(world.api.ledger) == paid
        assert storage.buckets.ever_public == []


async def test_a_disk_that_cannot_be_written_costs_nothing_again(tmp_path: Path) -> None:
    drafts = tmp_path / "blobs" / "drafts"
    async with paying(tmp_path) as world:
        drafts.rename(tmp_path / "aside")
        # Nobody may write there, root neither.
        drafts.symlink_to("/sys")
        failed = await finished(world.client, (await world.job())["id"], 60)
        drafts.unlink()
        (tmp_path / "aside").rename(drafts)

        again = await retried(world, failed)

        assert failed["error"] == STORAGE_ERROR
        assert again["status"] == "completed"
        await shows(world, again)
        assert len(world.api.ledger) == 1


@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_render_of_no_bytes_is_paid_for_again_only_if_it_stays_so(tmp_path: Path, comes_back: bool) -> None:
    async with paying(tmp_path) as world:
        world.system.stop_part("storage")
        job = await world.job()
        await until(lambda: is_rendered(tmp_path))
        [render] = (tmp_path / "renders").iterdir()
        data = render.read_bytes()
        render.write_bytes(b"")
        world.system.start_part("storage")
        failed = await finished(world.client, job["id"], 60)
        if comes_back:
            render.write_bytes(data)

        again = await retried(world, failed)

        assert failed["error"] == STORAGE_ERROR
        assert again["status"] == "completed"
        await shows(world, again)
        assert len(world.api.ledger) == (1 if comes_back else 2)


def is_rendered(data_dir: Path) -> bool:
    """Whether a picture waits to be kept; a draft of one has a name that begins with a dot."""
    return any(not path.name.startswith(".") for path in (data_dir / "renders").iterdir())
