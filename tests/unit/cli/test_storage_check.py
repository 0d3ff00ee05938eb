"""What `studio doctor` says of the place for pictures, asked over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import repeat

import jwt
import pytest

from clients.cli.findings import Finding
from clients.cli.storage_check import check_storage
from services.storage.blobs.supabase_buckets import BUCKETS
from tests.fakes.http_server import Hang
from tests.fakes.supabase import FakeSupabase, instead
from tests.fakes.supabase_answers import database_down
from tests.fakes.supabase_buckets import FakeBucket
from tests.fakes.supabase_tokens import ANON_KEY, SECRET_KEY, SERVICE_KEY

ANOTHERS = jwt.encode({"role": "service_role"}, "another-" * 4)


@pytest.fixture
async def storage() -> AsyncIterator[FakeSupabase]:
    """As a system has left it that was started once."""
    async with FakeSupabase() as storage:
        for bucket in BUCKETS.values():
            storage.buckets.create(FakeBucket(bucket.id, bucket.public), 2**30)
        yield storage


async def examined(storage: FakeSupabase | None = None, is_running: bool = False, **environ: str) -> Finding:
    known = {} if storage is None else {
        "STUDIO_STORAGE": "supabase", "SUPABASE_URL": storage.url, "SUPABASE_SERVICE_KEY": SERVICE_KEY,
    }  # fmt: skip
    return await asyncio.to_thread(check_storage, {**known, **environ}, is_running=is_running)


async def test_a_directory_of_our_own_needs_nobody() -> None:
    assert (await examined()).ok


@pytest.mark.parametrize("key", [SERVICE_KEY, SECRET_KEY], ids=["older", "secret"])
async def test_a_supabase_in_order_is_well(storage: FakeSupabase, key: str) -> None:
    assert await examined(storage, SUPABASE_SERVICE_KEY=key) == Finding("pictures", True, "supabase is well")


@pytest.mark.parametrize(
    ("changes", "todo"),
    [
        ({"STUDIO_STORAGE": "s3"}, "set STUDIO_STORAGE to local or supabase"),
        ({"SUPABASE_URL": "", "SUPABASE_SERVICE_KEY": ""}, "set SUPABASE_URL and SUPABASE_SERVICE_KEY"),
        ({"SUPABASE_SERVICE_KEY": ANON_KEY}, "set it to a secret or service_role key"),
        ({"SUPABASE_SERVICE_KEY": ANOTHERS}, "check that it is this project's and has not expired"),
        ({"SUPABASE_URL": "http://127.0.0.1:1"}, "check SUPABASE_URL"),
        ({"SUPABASE_URL": "no address"}, "check SUPABASE_URL"),
        ({"SUPABASE_URL": "http://[oops"}, "check SUPABASE_URL"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_the_settings_is_said_with_what_to_do(
    storage: FakeSupabase, changes: dict[str, str], todo: str
) -> None:
    finding = await examined(storage, False, **changes)

    assert (finding.ok, finding.todo) == (False, todo)
    assert not any(value and value in finding.found for name, value in changes.items() if name.endswith("KEY"))


async def test_a_missing_bucket_is_well_before_the_first_start_and_not_after_it(storage: FakeSupabase) -> None:
    storage.buckets.drop("assets-private")

    before, after = await examined(storage), await examined(storage, is_running=True)

    assert before == Finding("pictures", True, "supabase is well; made at the first start: assets-private")
    assert after == Finding(
        "pictures", False, "no bucket assets-private", "start the storage service again, and it is made"
    )
    assert "assets-private" not in storage.buckets


async def test_a_private_bucket_that_is_open_to_all_is_a_problem(storage: FakeSupabase) -> None:
    storage.buckets["assets-private"].public = True

    finding = await examined(storage)

    assert finding == Finding(
        "pictures", False, "the bucket assets-private is not private", "make it so in the dashboard"
    )


async def test_a_server_that_is_down_or_silent_is_said(storage: FakeSupabase) -> None:
    storage.faults = repeat(instead(database_down()))
    down = await examined(storage)
    storage.faults = repeat(instead(Hang()))
    silent = await examined(storage)

    assert (down.ok, down.found) == (False, "Supabase Storage answers 500")
    assert (silent.ok, silent.found) == (False, "Supabase Storage does not answer within 2 s")
