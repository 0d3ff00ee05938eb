"""Numbered SQL files become tables, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.database import Database, MigrationError, migrate, open_database

CREATE_JOBS = """
-- jobs; and what they wait for
CREATE TABLE jobs(id TEXT PRIMARY KEY, state TEXT NOT NULL DEFAULT ';');
CREATE INDEX jobs_state ON jobs(state);
INSERT INTO jobs(id) VALUES ('first');
"""
ADD_TURN = "ALTER TABLE jobs ADD COLUMN turn BIGINT NOT NULL DEFAULT 0;"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    directory = tmp_path / "migrations"
    directory.mkdir()
    (directory / "001_create_jobs.sql").write_text(CREATE_JOBS)
    (directory / "002_add_turn.sql").write_text(ADD_TURN)
    return directory


@pytest.fixture
async def replica(database: Database, database_url: str, schema: str) -> AsyncIterator[Database]:
    """Another replica of the service; a SQLite file has only the one."""
    if database_url.startswith("sqlite"):
        yield database
        return
    other = await open_database(database_url, schema=schema)
    yield other
    await other.close()


async def test_an_empty_database_gets_every_migration_in_order(database: Database, files: Path) -> None:
    assert await migrate(database, files) == ["001_create_jobs", "002_add_turn"]

    rows = await database.fetch("SELECT id, state, turn FROM jobs")
    assert [tuple(row) for row in rows] == [("first", ";", 0)]


async def test_migrating_again_does_nothing(database: Database, files: Path) -> None:
    await migrate(database, files)

    assert await migrate(database, files) == []

    assert len(await database.fetch("SELECT id FROM jobs")) == 1


async def test_only_what_is_new_is_applied(database: Database, files: Path) -> None:
    await migrate(database, files)
    (files / "003_drop_jobs.sql").write_text("DROP TABLE jobs")

    assert await migrate(database, files) == ["003_drop_jobs"]


async def test_replicas_that_start_at_once_all_succeed(database: Database, replica: Database, files: Path) -> None:
    results = await asyncio.gather(*(migrate(each, files) for each in (database, replica, database, replica)))

    assert sorted(results) == [[], [], [], ["001_create_jobs", "002_add_turn"]]


async def test_a_migration_that_fails_leaves_nothing_and_names_its_file(database: Database, files: Path) -> None:
    (files / "002_add_turn.sql").write_text(ADD_TURN + "ALTER TABLE missing ADD COLUMN x TEXT")

    with pytest.raises(Exception, match="missing") as caught:
        await migrate(database, files)

    assert caught.value.__notes__ == ["while applying 002_add_turn.sql"]
    with pytest.raises(Exception, match="jobs"):
        await database.fetch("SELECT id FROM jobs")
    (files / "002_add_turn.sql").write_text(ADD_TURN)
    assert len(await migrate(database, files)) == 2


async def test_an_edited_migration_is_refused(database: Database, files: Path) -> None:
    await migrate(database, files)
    (files / "001_create_jobs.sql").write_text(CREATE_JOBS + "-- a thought")

    with pytest.raises(MigrationError, match="001_create_jobs: was edited"):
        await migrate(database, files)


async def test_a_renamed_migration_is_refused(database: Database, files: Path) -> None:
    await migrate(database, files)
    (files / "002_add_turn.sql").rename(files / "002_add_turns.sql")

    with pytest.raises(MigrationError, match="002_add_turns: was applied as 002_add_turn"):
        await migrate(database, files)


async def test_a_database_newer_than_the_code_is_refused(database: Database, files: Path) -> None:
    await migrate(database, files)
    (files / "002_add_turn.sql").unlink()

    with pytest.raises(MigrationError, match="002_add_turn: was applied by newer code"):
        await migrate(database, files)


async def test_a_refusal_applies_nothing(database: Database, files: Path) -> None:
    await migrate(database, files)
    (files / "001_create_jobs.sql").write_text("SELECT 1")
    (files / "003_drop_jobs.sql").write_text("DROP TABLE jobs")

    with pytest.raises(MigrationError):
        await migrate(database, files)

    assert len(await database.fetch("SELECT id FROM jobs")) == 1


@pytest.mark.parametrize("name", ["004_gap.sql", "002_twice.sql", "3_short.sql", "003_Upper.sql", "notes.sql"])
async def test_a_file_out_of_order_or_badly_named_is_refused(database: Database, files: Path, name: str) -> None:
    (files / name).write_text("SELECT 1")

    with pytest.raises(MigrationError, match=r"\.sql"):
        await migrate(database, files)


async def test_a_directory_without_migrations_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="holds no migrations"):
        await migrate(database, tmp_path / "nowhere")
