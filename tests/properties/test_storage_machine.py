"""Uploads, moves and deletions by processes that die anywhere: rows and bytes agree, and nothing private was public."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from chassis.database import Database, migrate, open_database
from services.storage.domain import Asset, AssetNotFound, Item, State
from services.storage.store import DatabaseAssets
from services.storage.upload_domain import LinkedUpload, Upload, UploadLimitReached, UploadNotFound
from services.storage.uploads_store import DatabaseUploads
from services.storage.usecases.removing import ABANDONED_AFTER
from tests.blob_places import Place, SupabasePlace, open_place
from tests.crashing import Crash, Fuse, fused
from tests.pictures import a_picture
from tests.storage_parts import MIGRATIONS, Clock, Parts, an_item, is_at_rest

SHORT = settings(max_examples=50, stateful_step_count=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NUMBERS = itertools.count()
BROUGHT = a_picture(9, 8)
READING = ("get", "of_item", "of_key", "unfinished", "links", "find", "require_room")
"""To die before or after these is to die after what was changed before."""

picture = st.sampled_from([0, 1])
step = st.none() | st.integers(0, 9)
"""Where its process dies: None, and what is more than a call has, is nowhere."""


@dataclass(slots=True)
class Wish:
    """One picture, and what its owner has asked for so far."""

    item: Item
    data: bytes
    asset_id: str | None = None
    """Known once the upload was answered."""
    ever_public: bool = False
    """Whether it was ever asked to be."""
    is_public: bool | None = False
    """As the last answer had it; None: the last call was not answered."""
    is_deleted: bool | None = False
    """None: it was asked for, and not answered."""
    urls: list[str] = field(default_factory=list)
    """All that were given out."""


@dataclass(frozen=True, slots=True)
class World:
    """What all runs share."""

    runner: asyncio.Runner
    database: Database
    place: Place
    clock: Clock

    def process(self, fuse: Fuse | None = None) -> Parts:
        """A new one; with a fuse it dies before or after anything that changes something, requests included."""
        assets, uploads = DatabaseAssets(self.database), DatabaseUploads(self.database)
        if fuse is None:
            return Parts(assets, uploads, self.place.blobs(self.clock), self.clock)
        dying = [fused(store, fuse, but=READING) for store in (assets, uploads)]
        if isinstance(self.place, SupabasePlace):
            return Parts(dying[0], dying[1], self.place.blobs(self.clock, fuse), self.clock)
        return Parts(dying[0], dying[1], fused(self.place.blobs(self.clock), fuse, but=READING), self.clock)


class StorageMachine(RuleBasedStateMachine):
    """One owner of two pictures, and a new process for every call: few things, so that they meet often."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.uploads: dict[str, bool] = {}
        """Those that were answered with, and whether they are to be there: what is being deleted is not."""
        self.wishes = [Wish(an_item(), a_picture(8, 8, seed=next(NUMBERS))) for _ in range(2)]

    def attempt(self, call: Callable[[Parts], Awaitable[Any]], at: int | None) -> Any:
        """What the call answers; Crash when its process died first, AssetNotFound when there is nothing to do it to."""
        parts = self.world.process(None if at is None else Fuse(at))
        try:
            return self.world.runner.run(_awaited(call(parts)))
        except (Crash, AssetNotFound, UploadNotFound, UploadLimitReached) as end:
            return type(end)

    @rule(which=picture, at=step)
    def upload(self, which: int, at: int | None) -> None:
        wish = self.wishes[which]
        kept = self.attempt(lambda parts: parts.keeper.keep(wish.item, wish.data), at)
        if isinstance(kept, Asset):
            assert wish.asset_id in (None, kept.id)
            wish.asset_id = kept.id

    @rule(which=picture, is_public=st.booleans(), at=step)
    def show(self, which: int, is_public: bool, at: int | None) -> None:
        wish = self.wishes[which]
        asset_id = wish.asset_id or self.uploaded(wish)
        wish.ever_public |= is_public
        linked = self.attempt(lambda parts: parts.gallery.set_visibility("ada", asset_id, is_public=is_public), at)
        if linked is AssetNotFound:
            assert wish.is_deleted is not False
            return
        wish.is_public = None if linked is Crash else is_public
        if linked is not Crash:
            assert linked.asset.is_public is is_public
            wish.urls.append(linked.url)

    @rule(which=picture, at=step)
    def delete(self, which: int, at: int | None) -> None:
        wish = self.wishes[which]
        asset_id = wish.asset_id or self.uploaded(wish)
        deleted = self.attempt(lambda parts: parts.gallery.delete_asset("ada", asset_id), at)
        if deleted is AssetNotFound:
            assert wish.is_deleted is not False
            return
        wish.is_deleted = None if deleted is Crash else True

    @rule(which=picture, at=step)
    def look(self, which: int, at: int | None) -> None:
        wish = self.wishes[which]
        asset_id = wish.asset_id or self.uploaded(wish)
        linked = self.attempt(lambda parts: parts.gallery.get_asset("ada", asset_id), at)
        if linked is AssetNotFound:
            assert wish.is_deleted is not False
        elif linked is not Crash:
            assert wish.is_public in (None, linked.asset.is_public)
            assert linked.asset.is_public <= wish.ever_public
            wish.is_public = linked.asset.is_public
            wish.urls.append(linked.url)

    @rule(at=step)
    def bring(self, at: int | None) -> None:
        brought = self.attempt(lambda parts: parts.uploading.add("ada", BROUGHT), at)
        if isinstance(brought, LinkedUpload):
            self.uploads[brought.upload.id] = True

    @precondition(lambda self: self.uploads)
    @rule(at=step)
    def take_away(self, at: int | None) -> None:
        upload_id = list(self.uploads)[-1]
        gone = self.attempt(lambda parts: parts.uploading.delete("ada", upload_id), at)
        assert gone is not UploadNotFound or not self.uploads[upload_id]
        if gone is not Crash:
            self.uploads[upload_id] = False
        elif self.uploads[upload_id]:
            # Nobody knows what became of it.
            del self.uploads[upload_id]

    @rule(at=step)
    def recover(self, at: int | None) -> None:
        self.attempt(lambda parts: parts.recovery.recover(), at)

    def uploaded(self, wish: Wish) -> str:
        asset = self.attempt(lambda parts: parts.keeper.keep(wish.item, wish.data), None)
        assert isinstance(asset, Asset)
        wish.asset_id = asset.id
        return asset.id

    @invariant()
    def what_was_never_to_be_public_never_was(self) -> None:
        if isinstance(self.world.place, SupabasePlace):
            shown = self.world.place.storage.buckets.ever_public
            assert not any(wish.data in shown for wish in self.wishes if not wish.ever_public)

    @invariant()
    def what_an_answer_called_private_or_gone_is_so(self) -> None:
        for wish in self.wishes:
            if wish.is_deleted is True or wish.is_public is False:
                public = [url for url in wish.urls if "token=" not in url]
                assert not any(self.opens(url) for url in public)

    def teardown(self) -> None:
        """A last process finishes what all the others have left."""
        clock = self.world.clock
        clock.advance(seconds=ABANDONED_AFTER.total_seconds() + 1)
        self.world.runner.run(self.world.process().recovery.recover())
        rows = self.world.runner.run(_rows(self.world.database))
        assert all(is_at_rest(row) for row in rows)
        uploads = self.world.runner.run(_uploads(self.world.database))
        assert all(upload.state is State.STORED for upload in uploads)
        assert {upload.id for upload in uploads} >= {id for id, is_there in self.uploads.items() if is_there}
        assert not {upload.id for upload in uploads} & {id for id, is_there in self.uploads.items() if not is_there}
        stored = [row.key for row in rows if row.state is State.STORED]
        assert self.world.place.all_keys() == {*stored, *(upload.key for upload in uploads)}
        assert self.world.runner.run(_problems(self.world.process())) == []
        for wish in self.wishes:
            self.check_in_the_end(wish, next((row for row in rows if row.item.job_id == wish.item.job_id), None))

    def check_in_the_end(self, wish: Wish, row: Asset | None) -> None:
        is_there = row is not None and row.state is State.STORED
        assert is_there or wish.asset_id is None or wish.is_deleted is not False
        assert not (is_there and wish.is_deleted)
        now = ""
        if is_there and row is not None:
            now = self.world.runner.run(self.world.process().url(row.id))
            assert wish.is_public in (None, row.is_public) and row.is_public <= wish.ever_public
            assert self.opens(now)
        # The last one given out may be the one that is right now, if it was remembered.
        path = now.partition("?")[0]
        assert not any(self.opens(url) for url in wish.urls if url.partition("?")[0] != path)

    def opens(self, url: str) -> bool:
        place = self.world.place
        if isinstance(place, SupabasePlace):
            return self.world.runner.run(place.serves(url))
        return self.world.runner.run(self.world.process().opens(url))


async def _awaited(call: Awaitable[Any]) -> Any:
    return await call


async def _rows(database: Database) -> list[Asset]:
    store = DatabaseAssets(database)
    rows = [await store.get(row["id"]) for row in await database.fetch("SELECT id FROM assets")]
    return [row for row in rows if row is not None]


async def _uploads(database: Database) -> list[Upload]:
    store = DatabaseUploads(database)
    rows = [await store.get(row["id"]) for row in await database.fetch("SELECT id FROM uploads")]
    return [row for row in rows if row is not None]


async def _problems(parts: Parts) -> list[Any]:
    return [each async for each in parts.checking.check(repair=False, reads=True) if hasattr(each, "kind")]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["local", "supabase"])
def test_rows_and_bytes_agree_whatever_dies_where(kind: str) -> None:
    with tempfile.TemporaryDirectory() as directory, asyncio.Runner() as runner:
        stack = AsyncExitStack()
        try:
            place = runner.run(stack.enter_async_context(open_place(kind, Path(directory) / "blobs")))
            database = runner.run(open_database(f"sqlite://{directory}/test.db", schema="storage"))
            stack.push_async_callback(database.close)
            runner.run(migrate(database, MIGRATIONS))
            world = World(runner, database, place, Clock())
            runner.run(world.process().blobs.ping())
            run_state_machine_as_test(
                partial(StorageMachine, world),  # type: ignore[arg-type]  # a factory will do
                settings=SHORT,
            )
        finally:
            runner.run(stack.aclose())
