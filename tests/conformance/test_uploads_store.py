"""The rows of uploads, on every database."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.database import Database
from services.storage.domain import Picture, State, new_upload_key
from services.storage.upload_domain import MAX_UPLOADS, Upload, UploadLimitReached
from services.storage.uploads_store import DatabaseUploads
from tests.builders import NOON
from tests.storage_parts import MIGRATIONS

PICTURE = Picture("a" * 64, "image/jpeg", 640, 480, 1000)


@pytest.fixture
def migrations() -> Path:
    return MIGRATIONS


@pytest.fixture
def store(database: Database) -> DatabaseUploads:
    return DatabaseUploads(database)


def an_upload(user_id: str = "ada", **changes: Any) -> Upload:
    upload = Upload(str(uuid.uuid4()), user_id, PICTURE, State.WRITING, new_upload_key(), NOON)
    return replace(upload, **changes)


async def stored(store: DatabaseUploads, user_id: str = "ada", **changes: Any) -> Upload:
    upload = an_upload(user_id, **changes)
    await store.add(upload)
    assert await store.mark_stored(upload.id)
    return replace(upload, state=State.STORED)


async def test_what_was_added_is_there_as_it_was_added(store: DatabaseUploads) -> None:
    upload = an_upload(created_at=NOON + timedelta(microseconds=7))

    await store.add(upload)

    assert await store.get(upload.id) == upload
    assert await store.get(str(uuid.uuid4())) is None


async def test_only_what_is_stored_is_found_by_its_key_or_listed(store: DatabaseUploads) -> None:
    writing, there, leaving = an_upload(), await stored(store), await stored(store)
    await store.add(writing)
    assert await store.begin_removal(leaving.id)

    assert [await store.of_key(upload.key) for upload in (writing, there, leaving)] == [None, there, None]
    assert await store.of_user("ada", 10, 0) == ([there], 1)


async def test_a_row_that_moved_on_is_not_stored_any_more(store: DatabaseUploads) -> None:
    upload = an_upload()
    await store.add(upload)
    assert await store.begin_removal(upload.id)

    assert not await store.mark_stored(upload.id)
    assert not await store.begin_removal(upload.id)
    await store.finish_removal(upload.id)
    assert await store.get(upload.id) is None
    assert not await store.mark_stored(upload.id)


async def test_what_is_not_being_deleted_is_not_forgotten(store: DatabaseUploads) -> None:
    there, writing = await stored(store), an_upload()
    await store.add(writing)

    for upload in (there, writing):
        await store.finish_removal(upload.id)

    assert await store.get(there.id) == there
    assert await store.get(writing.id) == writing


async def test_lists_are_in_pages_newest_first_and_of_one_user_or_of_all(store: DatabaseUploads) -> None:
    mine = [await stored(store, created_at=NOON + timedelta(seconds=second)) for second in range(5)]
    bobs = await stored(store, "bob", created_at=NOON + timedelta(seconds=9))

    assert await store.of_user("ada", 2, 0) == ([mine[4], mine[3]], 5)
    assert await store.of_user("ada", 2, 4) == ([mine[0]], 5)
    assert await store.of_user("bob", 2, 0) == ([bobs], 1)
    assert await store.of_user("eve", 2, 0) == ([], 0)
    assert await store.of_user(None, 2, 0) == ([bobs, mine[4]], 6)


async def test_a_user_has_so_many_and_no_more_and_what_is_being_deleted_makes_room(store: DatabaseUploads) -> None:
    there = [await stored(store) for _ in range(MAX_UPLOADS - 1)]
    await store.require_room("ada")
    await store.add(an_upload())

    with pytest.raises(UploadLimitReached):
        await store.require_room("ada")
    with pytest.raises(UploadLimitReached) as refused:
        await store.add(an_upload())
    await store.require_room("bob")
    await store.begin_removal(there[0].id)
    await store.require_room("ada")
    await store.add(an_upload())

    assert refused.value.metadata == {"limit": "20"}


async def test_calls_that_race_for_the_last_places_get_those_alone(store: DatabaseUploads) -> None:
    for _ in range(MAX_UPLOADS - 3):
        await stored(store)

    results = await asyncio.gather(*(store.add(an_upload()) for _ in range(10)), return_exceptions=True)

    assert sum(result is None for result in results) == 3
    assert all(isinstance(result, UploadLimitReached) for result in results if result is not None)


async def test_unfinished_is_what_is_being_deleted_and_what_has_been_in_writing_for_too_long(
    store: DatabaseUploads,
) -> None:
    old, young, leaving = an_upload(), an_upload(created_at=NOON + timedelta(seconds=1)), await stored(store)
    await stored(store)
    for upload in (old, young):
        await store.add(upload)
    await store.begin_removal(leaving.id)

    unfinished = await store.unfinished(NOON + timedelta(seconds=1))

    assert {upload.id for upload in unfinished} == {old.id, leaving.id}


async def test_every_row_claims_its_key_whatever_its_state(store: DatabaseUploads) -> None:
    writing, there, leaving = an_upload(), await stored(store), await stored(store)
    await store.add(writing)
    await store.begin_removal(leaving.id)
    keys = [writing.key, there.key, leaving.key, *(new_upload_key() for _ in range(600))]

    assert {upload.key for upload in await store.claiming(keys)} == set(keys[:3])
    assert await store.claiming([]) == []


async def test_what_is_stored_is_walked_by_key(store: DatabaseUploads) -> None:
    first, second, third = [await stored(store, key=f"uploads/{digit * 32}") for digit in "abc"]
    await store.add(an_upload(key=f"uploads/{'a' * 31}b"))

    assert await store.stored_between("uploads/", second.key, 10) == [first, second]
    assert await store.stored_between(first.key, "uploads/g", 10) == [second, third]
    assert await store.stored_between("uploads/", "uploads/g", 1) == [first]
