"""What a store hears when the database says no, or nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chassis.database import Database, UniqueViolation, Value, open_database
from chassis.errors import Unavailable
from tests.postgres import PostgresServer, running_postgres

CREATE = """
CREATE TABLE kits(id TEXT PRIMARY KEY, user_id TEXT NOT NULL, name TEXT NOT NULL, is_default BOOLEAN NOT NULL)"""
INSERT = "INSERT INTO kits(id, user_id, name, is_default) VALUES ($1, $2, $3, $4)"


@pytest.fixture
async def kits(database: Database) -> Database:
    await database.execute(CREATE)
    await database.execute("CREATE UNIQUE INDEX kits_name ON kits(user_id, name)")
    await database.execute("CREATE UNIQUE INDEX kits_default ON kits(user_id) WHERE is_default")
    await database.execute(INSERT, "k1", "ada", "Neon", True)
    return database


@pytest.fixture(scope="module")
def stoppable() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_server(stoppable: PostgresServer) -> PostgresServer:
    """A running one that a test may stop; it has no other users."""
    stoppable.start()
    return stoppable


@pytest.fixture
async def fragile(postgres_server: PostgresServer, schema: str) -> AsyncIterator[Database]:
    database = await open_database(postgres_server.url, schema=schema, pool_size=2)
    await database.execute(CREATE)
    yield database
    await database.close()


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        (("k1", "bob", "Other", False), ("id",)),
        (("k2", "ada", "Neon", False), ("user_id", "name")),
        (("k2", "ada", "(a)=(b)", True), ("user_id",)),
    ],
)
async def test_a_unique_violation_names_the_table_and_the_columns(
    kits: Database, row: tuple[Value, ...], columns: tuple[str, ...]
) -> None:
    with pytest.raises(UniqueViolation) as caught:
        await kits.execute(INSERT, *row)

    assert (caught.value.table, caught.value.columns) == ("kits", columns)
    assert "Neon" not in str(caught.value)


async def test_a_unique_violation_over_an_expression_names_no_column(kits: Database) -> None:
    await kits.execute("CREATE UNIQUE INDEX kits_lower ON kits(lower(name))")

    with pytest.raises(UniqueViolation) as caught:
        await kits.execute(INSERT, "k2", "bob", "NEON", False)

    assert caught.value.columns == ()


async def test_a_unique_violation_leaves_a_transaction_with_nothing_done(kits: Database) -> None:
    with pytest.raises(UniqueViolation):
        async with kits.transaction() as transaction:
            await transaction.execute(INSERT, "k2", "bob", "Neon", False)
            await transaction.fetch(INSERT + " RETURNING id", "k1", "bob", "Other", False)

    assert await kits.fetch("SELECT id FROM kits WHERE id = 'k2'") == []


async def test_a_mistake_in_sql_is_not_taken_for_an_outage(kits: Database) -> None:
    with pytest.raises(Exception, match="missing") as caught:
        await kits.fetch("SELECT missing FROM kits")

    assert not isinstance(caught.value, Unavailable)


async def test_a_database_that_answers_is_pinged(database: Database) -> None:
    await database.ping()


async def test_a_closed_database_is_unavailable(database: Database) -> None:
    await database.close()
    await database.close()

    with pytest.raises(Unavailable):
        await database.ping()
    with pytest.raises(Unavailable):
        await database.execute("SELECT 1")
    with pytest.raises(Unavailable):
        async with database.transaction():
            pass


async def test_close_waits_for_the_transaction_that_is_open(kits: Database, database_url: str, schema: str) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with kits.transaction() as transaction:
            inside.set()
            await leave.wait()
            await transaction.execute(INSERT, "k2", "bob", "Late", False)

    writer = asyncio.create_task(write())
    await inside.wait()
    closing_down = asyncio.create_task(kits.close())
    await asyncio.wait({closing_down}, timeout=0.02)
    leave.set()
    await asyncio.gather(writer, closing_down)

    reopened = await open_database(database_url, schema=schema)
    rows = await reopened.fetch("SELECT id FROM kits ORDER BY id")
    await reopened.close()
    assert [row["id"] for row in rows] == ["k1", "k2"]


async def test_a_server_that_goes_away_is_unavailable_until_it_is_back(
    fragile: Database, postgres_server: PostgresServer
) -> None:
    await fragile.execute(INSERT, "k1", "ada", "Neon", False)

    postgres_server.stop()

    with pytest.raises(Unavailable, match=r"^the database is not available$") as caught:
        await fragile.ping()
    assert caught.value.__cause__ is not None
    with pytest.raises(Unavailable):
        await fragile.execute(INSERT, "k2", "ada", "Other", False)
    with pytest.raises(Unavailable):
        async with fragile.transaction():
            pass

    postgres_server.start()

    await fragile.ping()
    assert len(await fragile.fetch("SELECT id FROM kits")) == 1


async def test_a_server_that_goes_away_is_unavailable_to_all_who_talk_to_it(
    fragile: Database, postgres_server: PostgresServer
) -> None:
    over = False

    async def talk(number: int) -> None:
        while not over:
            try:
                await fragile.execute(INSERT + " ON CONFLICT (id) DO NOTHING", f"k{number}", "ada", "Neon", False)
                async with fragile.transaction() as transaction:
                    await transaction.fetch("SELECT id FROM kits")
            except Unavailable:
                await asyncio.sleep(0.01)

    talks = [asyncio.create_task(talk(number)) for number in range(20)]
    for _ in range(5):
        await asyncio.sleep(0.2)  # for some of them to be at every point of their talk
        await asyncio.to_thread(postgres_server.stop)
        await asyncio.to_thread(postgres_server.start)
    over = True

    await asyncio.gather(*talks)


async def noticed(database: Database) -> None:
    """Returns when the database has heard that its server is gone."""
    with pytest.raises(Unavailable):
        await asyncio.create_task(database.ping())


@pytest.mark.parametrize("sees_it_coming", [False, True])
async def test_a_server_that_goes_away_takes_the_open_transaction_with_it(
    fragile: Database, postgres_server: PostgresServer, sees_it_coming: bool
) -> None:
    with pytest.raises(Unavailable):
        async with fragile.transaction() as transaction:
            await transaction.execute(INSERT, "k1", "ada", "Neon", False)
            postgres_server.stop()
            if sees_it_coming:
                await noticed(fragile)
            await transaction.execute(INSERT, "k2", "ada", "Other", False)

    postgres_server.start()

    assert await fragile.fetch("SELECT id FROM kits") == []


@pytest.mark.parametrize("sees_it_coming", [False, True])
async def test_a_commit_that_does_not_arrive_is_unavailable(
    fragile: Database, postgres_server: PostgresServer, sees_it_coming: bool
) -> None:
    with pytest.raises(Unavailable):
        async with fragile.transaction() as transaction:
            await transaction.execute(INSERT, "k1", "ada", "Neon", False)
            postgres_server.stop()
            if sees_it_coming:
                await noticed(fragile)


async def test_a_rollback_that_does_not_arrive_keeps_the_error_that_led_to_it(
    fragile: Database, postgres_server: PostgresServer
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with fragile.transaction() as transaction:
            await transaction.execute(INSERT, "k1", "ada", "Neon", False)
            postgres_server.stop()
            raise ZeroDivisionError

    postgres_server.start()

    assert await fragile.fetch("SELECT id FROM kits") == []


async def test_a_server_that_was_never_there_is_unavailable(unused_tcp_port: int) -> None:
    with pytest.raises(Unavailable):
        await open_database(f"postgresql://postgres@127.0.0.1:{unused_tcp_port}/postgres", schema="any")


async def test_a_statement_that_takes_too_long_is_unavailable(postgres_url: str, schema: str) -> None:
    database = await open_database(postgres_url, schema=schema, statement_timeout=0.02)

    with pytest.raises(Unavailable):
        await database.fetch("SELECT pg_sleep(5)")

    await database.ping()
    await database.close()


async def test_a_process_that_hangs_in_a_transaction_does_not_hold_up_the_others_for_long(
    postgres_url: str, schema: str
) -> None:
    hanging = await open_database(postgres_url, schema=schema, statement_timeout=0.2)
    other = await open_database(postgres_url, schema=schema)
    await other.execute(CREATE)
    await other.execute(INSERT, "k1", "ada", "Neon", False)

    with pytest.raises(Unavailable):
        async with hanging.transaction() as transaction:
            await transaction.execute("UPDATE kits SET name = $1", "Hanging")
            # Waits for the row that the other has locked: while it does, nobody there says a word.
            await other.execute("UPDATE kits SET name = $1", "Other")
            await transaction.execute("UPDATE kits SET name = $1", "Late")

    assert [row["name"] for row in await other.fetch("SELECT name FROM kits")] == ["Other"]
    await hanging.close()
    await other.close()


async def test_the_isolation_is_read_committed_whatever_the_server_prefers(postgres_url: str, schema: str) -> None:
    url = f"{postgres_url}?options=-cdefault_transaction_isolation%3Dserializable"
    database = await open_database(url, schema=schema)

    row = await database.fetch_one("SELECT current_setting('transaction_isolation')")
    await database.close()

    assert row is not None
    assert row[0] == "read committed"


async def test_reads_cannot_write_on_sqlite(tmp_path: Path) -> None:
    database = await open_database(f"sqlite://{tmp_path}/read.db", schema="any")

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.fetch("CREATE TABLE t(id TEXT)")

    await database.close()
