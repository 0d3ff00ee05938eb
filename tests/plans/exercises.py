"""Everything that the stores of the services can be asked to do, once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from chassis.database import Database
from chassis.times import from_micros
from services.generation.attempts_store import AttemptStore, ItemCalls
from services.generation.discards_store import DiscardStore
from services.generation.domain import IdempotencyKey, NewItem, RenderDeferred, Sending
from services.generation.idempotency_store import forget_old_keys
from services.generation.items_store import ItemStore
from services.generation.limits import Limits
from services.generation.sources import PromptSource
from services.generation.states import JobStatus
from services.generation.store import JobStore
from services.prompt.domain import BrandKitChanges, BrandKitNotFound
from services.prompt.store import DatabaseBrandKits
from services.storage.domain import Filter, Picture, State
from services.storage.store import DatabaseAssets
from services.storage.upload_domain import Upload
from services.storage.uploads_store import DatabaseUploads
from tests.brand_kits import a_brand_kit
from tests.builders import a_failure, a_job, a_render
from tests.plans.filling import ADA, BEGAN, ENDED, NOW, WINDOW, job_id
from tests.storage_parts import an_item

NOW_ON = from_micros(NOW)
PICTURE = Picture("sha", "image/png", 1200, 480, 1000)
SOURCE = PromptSource("v1.0", "sha")
PAGE = 100
LIMITS = Limits(100_000, 100_000)
FAILED, STORED, ON_ITS_WAY = job_id(7), job_id(1), [job_id(ENDED - 1 - number) for number in range(WINDOW)]


async def exercise_jobs(database: Database) -> None:
    jobs = JobStore(database)
    times = {
        "created_at": NOW_ON, "start_by": NOW_ON + timedelta(minutes=10), "finish_by": NOW_ON + timedelta(hours=1),
    }  # fmt: skip
    key = IdempotencyKey(ADA, "a-key", "sha")
    for _ in range(2):
        job, _ = await jobs.create_within(LIMITS, a_job(ADA, items=(NewItem(7, a_render(), SOURCE),), **times), key)
    other = await jobs.create(a_job(ADA, **times))
    await jobs.load(ADA, LIMITS, NOW_ON)
    await jobs.created_as(key, NOW_ON)
    await jobs.page(ADA, None, PAGE, 0, NOW_ON)
    await jobs.page(ADA, JobStatus.COMPLETED, PAGE, 0, NOW_ON)
    await jobs.failed_items(FAILED)
    await jobs.usage(ADA, from_micros(BEGAN))
    await jobs.stored_items(STORED)
    await jobs.cancel(job.id, NOW_ON)
    await jobs.move(other.id, JobStatus.PROCESSING, 10, None, NOW_ON)
    await forget_old_keys(database, from_micros(BEGAN) + timedelta(hours=24, minutes=10))
    discards = DiscardStore(database)
    await discards.done((await discards.waiting(50))[0])


async def exercise_items(database: Database) -> None:
    items = ItemStore(database)
    await items.take(WINDOW + 10, NOW_ON)
    one, two, three, four = (Sending(each, 0, 1) for each in ON_ITS_WAY[:4])
    await items.start(one.job_id, 0, 1, "a prompt", NOW_ON, SOURCE)
    await items.rendered(one.job_id, 0, a_render(f"{one.job_id}.0"), NOW_ON)
    await items.stored(one.job_id, 0, "an-asset", NOW_ON)
    await items.failed(two.job_id, 0, a_failure(), NOW_ON, dispatch=1)
    await items.stored(two.job_id, 0, "too-late", NOW_ON)
    await items.defer(three.job_id, 0, 1, NOW_ON, None)
    await items.spent_render(STORED, 0)
    await items.rendered(STORED, 0, a_render(), NOW_ON)
    await items.standing(STORED, 0)
    await items.needed_renders([f"{job_id(number)}.0" for number in range(50)])
    await items.sent([four])
    await items.heard_of([four], NOW_ON)
    await items.give_back([four])
    await items.silent(NOW_ON - timedelta(seconds=30), NOW_ON - timedelta(seconds=10))
    await items.overdue(NOW_ON, PAGE)
    await _exercise_calls(database)


async def _exercise_calls(database: Database) -> None:
    def calls_of(job_id: str) -> ItemCalls:
        return ItemCalls(database, job_id, 0, "a-model", lease=timedelta(seconds=0.03), clock=lambda: NOW_ON)

    calls = calls_of(ON_ITS_WAY[10])
    async with calls.attempt() as attempt:
        attempt.paid()
    with suppress(TimeoutError):
        await asyncio.wait_for(calls.keep_alive(), 0.5)
    await calls.close_gate(60)
    with suppress(RenderDeferred):
        async with calls_of(ON_ITS_WAY[11]).attempt():
            raise AssertionError("the gate is closed")
    await AttemptStore(database).calls_of(STORED)
    await AttemptStore(database).sources_of(STORED)


async def exercise_assets(database: Database) -> None:
    store = DatabaseAssets(database)
    everybodys, of_a_job = (None, None, None), (None, None, STORED)
    of_mine = ((ADA, asset_type, job) for asset_type in (None, "overlay") for job in (None, STORED))
    for user_id, asset_type, job in (*of_mine, of_a_job, everybodys):
        await store.matching(Filter(user_id, asset_type, job, PAGE, 0))
    asset = await store.begin(an_item(), PICTURE, "private/1", NOW_ON)
    asset = await store.begin_again(asset, PICTURE, "private/2")
    asset = await store.forget_old_key(asset)
    await store.mark_stored(asset, NOW_ON)
    await store.begin_move(asset, "public/3")
    moving = await store.of_key("private/2")
    assert moving is not None
    await store.finish_move(moving)
    await store.begin_removal(asset.id)
    removing = await store.get(asset.id)
    assert removing is not None
    await store.finish_removal(removing)
    other = an_item()
    await store.begin(other, PICTURE, "private/4", NOW_ON)
    abandoned = await store.abandon(other.job_id, other.item)
    assert abandoned is not None
    await store.finish_removal(abandoned)
    await store.of_item(STORED, 0)
    await store.claiming([f"private/{job_id(number)}" for number in range(50)])
    await store.stored_between(f"private/{job_id(1)}", "private/~", PAGE)
    await store.unfinished(NOW_ON - timedelta(days=1))


async def exercise_uploads(database: Database) -> None:
    store = DatabaseUploads(database)
    await store.require_room("user-7")
    upload = Upload("an-upload", "user-7", PICTURE, State.WRITING, "uploads/1", NOW_ON)
    await store.add(upload)
    await store.mark_stored(upload.id)
    await store.get(upload.id)
    await store.of_key(upload.key)
    for user_id in ("user-7", None):
        await store.of_user(user_id, PAGE, 0)
    await store.begin_removal(upload.id)
    await store.finish_removal(upload.id)
    await store.claiming([f"uploads/{job_id(number)}" for number in range(50)])
    await store.stored_between(f"uploads/{job_id(1)}", "uploads/~", PAGE)
    await store.unfinished(NOW_ON - timedelta(days=1))


async def exercise_brand_kits(database: Database) -> None:
    store = DatabaseBrandKits(database)
    kit = a_brand_kit(user_id="user-7")
    await store.add(kit)
    await store.get(kit.id)
    await store.active("user-7")
    await store.of_user("user-7")
    await store.change("user-7", kit.id, BrandKitChanges(name="Neon"), NOW_ON)
    await store.activate("user-7", kit.id, NOW_ON)
    await store.delete("user-7", kit.id)
    with suppress(BrandKitNotFound):
        await store.delete("user-7", kit.id)
