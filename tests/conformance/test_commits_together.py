"""Transactions that run at once: on SQLite they are committed together, and stay as separate as on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest

from chassis.database import Database, UniqueViolation, open_database
from chassis.errors import Unavailable
from tests.disks import MIB, SmallDisk, on_a_small_disk

NOTES = "CREATE TABLE notes (number BIGINT PRIMARY KEY, text TEXT)"
WRITE = "INSERT INTO notes VALUES ($1, $2)"


class Refused(Exception):
    """By whoever decides on what was read."""


async def write(database: Database, number: int, text: str = "") -> None:
    async with database.transaction() as transaction:
        await transaction.execute(WRITE, number, text)


async def refuse(database: Database, number: int) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(WRITE, number, "")
        raise Refused


async def numbers(database: Database) -> list[int]:
    return [row["number"] for row in await database.fetch("SELECT number FROM notes ORDER BY number")]


def kinds(outcomes: Iterable[object]) -> list[type | None]:
    return [None if outcome is None else type(outcome) for outcome in outcomes]


async def test_one_that_fails_leaves_those_beside_it_alone(database: Database) -> None:
    await database.execute(NOTES)
    await write(database, 3)

    trying = [*(write(database, number) for number in (0, 1, 3, 4)), refuse(database, 7), write(database, 9)]
    outcomes = await asyncio.gather(*trying, return_exceptions=True)

    assert kinds(outcomes) == [None, None, UniqueViolation, None, Refused, None]
    assert await numbers(database) == [0, 1, 3, 4, 9]


async def test_what_was_written_can_be_read_once_the_writer_goes_on(database: Database) -> None:
    await database.execute(NOTES)

    async def write_and_read(number: int) -> bool:
        await write(database, number)
        return number in await numbers(database)

    assert all(await asyncio.gather(*(write_and_read(number) for number in range(50))))


async def test_one_that_is_cancelled_leaves_nothing_and_those_beside_it_alone(database: Database) -> None:
    await database.execute(NOTES)
    inside = asyncio.Event()

    async def hang() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(WRITE, 100, "")
            inside.set()
            await asyncio.Event().wait()

    hanging = asyncio.create_task(hang())
    await inside.wait()
    waiting = [asyncio.create_task(write(database, number)) for number in range(3)]
    hanging.cancel()
    await asyncio.gather(*waiting)

    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert await numbers(database) == [0, 1, 2]


async def test_what_is_under_way_when_a_database_is_closed_is_kept(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/closed.db"
    database = await open_database(url, schema="any")
    await database.execute(NOTES)
    writing = [asyncio.create_task(write(database, number)) for number in range(10)]
    await asyncio.sleep(0)
    await database.close()
    outcomes = await asyncio.gather(*writing, return_exceptions=True)

    again = await open_database(url, schema="any")
    assert await numbers(again) == [number for number, outcome in enumerate(outcomes) if outcome is None]
    assert any(outcome is None for outcome in outcomes)
    await again.close()


@on_a_small_disk(8 * MIB)
async def test_what_is_answered_as_written_on_a_disk_that_fills_up_is_there(disk: SmallDisk) -> None:
    url = f"sqlite://{disk.path}/full.db"
    database = await open_database(url, schema="any")
    await database.execute(NOTES)

    outcomes: list[object] = []
    while not any(isinstance(outcome, Unavailable) for outcome in outcomes):
        some = range(len(outcomes), len(outcomes) + 20)
        outcomes += await asyncio.gather(*(write(database, each, "x" * 3000) for each in some), return_exceptions=True)

    assert set(kinds(outcomes)) == {None, Unavailable}
    assert await numbers(database) == [number for number, outcome in enumerate(outcomes) if outcome is None]
    await database.close()
