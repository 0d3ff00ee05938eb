"""From a URL to a database."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from chassis.database import Database, DatabaseRefused, open_database
from chassis.errors import Unavailable


async def test_what_was_written_is_there_after_opening_again(database_url: str, schema: str) -> None:
    first = await open_database(database_url, schema=schema)
    await first.execute("CREATE TABLE t(id TEXT)")
    await first.execute("INSERT INTO t(id) VALUES ('a')")
    await first.close()

    second = await open_database(database_url, schema=schema)
    rows = await second.fetch("SELECT id FROM t")
    await second.close()

    assert [row["id"] for row in rows] == ["a"]


async def test_a_table_is_there_once_it_was_made(database: Database) -> None:
    assert not await database.has_table("t")

    await database.execute("CREATE TABLE t(id TEXT)")

    assert await database.has_table("t")


async def test_a_schema_is_a_services_own(postgres_url: str, schema: str) -> None:
    ours = await open_database(postgres_url, schema=schema)
    theirs = await open_database(postgres_url, schema=f"{schema}_b")

    await ours.execute("CREATE TABLE t(id TEXT)")
    await theirs.execute("CREATE TABLE t(id TEXT)")
    await ours.execute("INSERT INTO t(id) VALUES ('a')")

    assert await theirs.fetch("SELECT id FROM t") == []
    await ours.close()
    await theirs.close()


async def test_replicas_that_start_at_once_make_one_schema(postgres_url: str, schema: str) -> None:
    replicas = await asyncio.gather(*(open_database(postgres_url, schema=schema, pool_size=1) for _ in range(5)))

    await replicas[0].execute("CREATE TABLE t(id TEXT)")

    assert await replicas[4].fetch("SELECT id FROM t") == []
    await asyncio.gather(*(replica.close() for replica in replicas))


async def test_a_sqlite_file_serves_one_opener_at_a_time(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/one.db"
    first = await open_database(url, schema="any")

    with pytest.raises(DatabaseRefused, match="DATABASE_URL"):
        await open_database(url, schema="any")
    await first.close()

    second = await open_database(url, schema="any")
    await second.ping()
    await second.close()


async def test_a_sqlite_file_and_its_directory_are_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "directory with %" / "one.db"

    database = await open_database(f"sqlite:///{path.parent.as_posix().replace('%', '%25')}/one.db", schema="any")
    await database.execute("CREATE TABLE t(id TEXT)")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    await database.close()

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert modes == {"one.db": 0o600, "one.db.lock": 0o600, "one.db-wal": 0o600, "one.db-shm": 0o600}


async def test_a_file_that_is_no_database_is_unavailable_and_let_go(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("not a database, and long enough to have a header" * 100)

    for _ in range(2):
        with pytest.raises(Unavailable):
            await open_database(f"sqlite://{path}", schema="any")


@pytest.mark.parametrize("schema", ["Upper", 'a"; DROP SCHEMA b', "", "a" * 64])
async def test_a_schema_has_a_plain_name(schema: str) -> None:
    with pytest.raises(ValueError, match="schema"):
        await open_database("sqlite:////tmp/a.db", schema=schema)


@pytest.mark.parametrize(
    "url", ["sqlite:relative.db", "mysql://user:secret@host/db", "postgresql://user:sec@ret@host/db"]
)
async def test_an_address_that_cannot_be_right_is_refused_without_telling_secrets(url: str) -> None:
    with pytest.raises(DatabaseRefused, match=r"^DATABASE_URL: ") as caught:
        await open_database(url, schema="any")

    assert not {"secret", "sec@ret"} & set(str(caught.value).split())


async def test_a_schema_keeps_the_name_it_had_while_our_tables_are_in_it(postgres_url: str, schema: str) -> None:
    former = await open_database(postgres_url, schema=f"{schema}_former")
    await former.execute("CREATE TABLE schema_migrations(version INTEGER)")
    await former.execute("CREATE TABLE t(id TEXT)")

    ours = await open_database(postgres_url, schema=schema, former_schema=f"{schema}_former")

    assert await ours.has_table("t")
    await former.close()
    await ours.close()


async def test_a_schema_of_that_name_that_is_somebody_elses_is_left_alone(postgres_url: str, schema: str) -> None:
    somebodys = await open_database(postgres_url, schema=f"{schema}_former")
    await somebodys.execute("CREATE TABLE t(id TEXT)")

    ours = await open_database(postgres_url, schema=schema, former_schema=f"{schema}_former")

    assert not await ours.has_table("t")
    await ours.execute("CREATE TABLE t(id TEXT, n BIGINT)")
    await somebodys.close()
    await ours.close()
