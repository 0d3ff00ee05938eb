"""A SQLite file that another program holds for a while, such as a shell or a backup."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from chassis.database import Database, open_database
from chassis.errors import Unavailable
from chassis.patience import describe

CREATE = "CREATE TABLE kits(id TEXT PRIMARY KEY)"
INSERT = "INSERT INTO kits(id) VALUES ($1)"


@asynccontextmanager
async def held_by_a_shell(path: Path) -> AsyncIterator[tuple[Database, sqlite3.Connection]]:
    """A database with a table, and a shell that has begun to write."""
    database = await open_database(f"sqlite://{path}", schema="any")
    await database.execute(CREATE)
    with closing(sqlite3.connect(path, isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        yield database, shell
    await database.close()


async def test_a_write_waits_until_another_program_lets_go(tmp_path: Path) -> None:
    async with held_by_a_shell(tmp_path / "held.db") as (database, shell):
        writes = [asyncio.create_task(database.execute(INSERT, f"k{number}")) for number in range(3)]
        await asyncio.wait(writes, timeout=0.05)
        assert not any(write.done() for write in writes)

        shell.rollback()

        assert await asyncio.gather(*writes) == [1, 1, 1]


async def test_while_a_write_waits_reads_are_answered_and_all_else_goes_on(tmp_path: Path) -> None:
    async with held_by_a_shell(tmp_path / "held.db") as (database, _):
        write = asyncio.create_task(database.execute(INSERT, "k1"))
        for _ in range(20):  # a write that held up the event loop would be over after the first of them
            await asyncio.sleep(0.01)
            assert await database.fetch("SELECT id FROM kits") == []
            assert not write.done()
        write.cancel()

        with pytest.raises(asyncio.CancelledError):
            await write


async def test_a_file_that_another_program_does_not_let_go_is_unavailable_to_all_who_wait(tmp_path: Path) -> None:
    async def write_as_one() -> None:
        async with held.transaction() as transaction:
            await transaction.execute(INSERT, "k0")

    async with held_by_a_shell(tmp_path / "held.db") as (held, shell):
        writes = [held.execute(INSERT, f"k{number}") for number in range(1, 20)]

        async with asyncio.timeout(15):  # one after the other they would take forty seconds
            outcomes = await asyncio.gather(write_as_one(), *writes, return_exceptions=True)

        for outcome in outcomes:
            assert isinstance(outcome, Unavailable) and "locked" in describe(outcome)
        shell.rollback()
        assert await held.execute(INSERT, "k1") == 1


async def test_a_file_that_another_program_has_for_itself_cannot_be_opened_for_now(tmp_path: Path) -> None:
    path = tmp_path / "held.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as shell:
        shell.execute("BEGIN EXCLUSIVE")

        with pytest.raises(Unavailable):
            await open_database(f"sqlite://{path}", schema="any")

    await (await open_database(f"sqlite://{path}", schema="any")).close()
