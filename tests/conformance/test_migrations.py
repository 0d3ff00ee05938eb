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


async def test_a_database_ahead_of_the_code_is_left_as_it_is_and_said_so(
    database: Database, files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await migrate(database, files)
    (files / "002_add_turn.sql").unlink()

    assert await migrate(database, files) == []

    assert [tuple(row) for row in await database.fetch("SELECT id, turn FROM jobs")] == [("first", 0)]
    [record] = caplog.records
    assert (record.levelname, record.getMessage()) == ("WARNING", "the database is ahead of this code")
    assert record.__dict__["unknown"] == ["002_add_turn"]


async def test_a_database_ahead_of_the_code_with_another_history_is_refused(database: Database, files: Path) -> None:
    await migrate(database, files)
    (files / "002_add_turn.sql").unlink()
    (files / "001_create_jobs.sql").write_text(CREATE_JOBS + "-- a thought")

    with pytest.raises(MigrationError, match="001_create_jobs: was edited"):
        await migrate(database, files)


async def test_another_second_migration_than_the_one_rolled_back_is_refused(database: Database, files: Path) -> None:
    await migrate(database, files)
    (files / "002_add_turn.sql").rename(files / "002_add_place.sql")

    with pytest.raises(MigrationError, match="002_add_place: was applied as 002_add_turn"):
        await migrate(database, files)


@pytest.mark.parametrize(("since", "starts"), [("001", True), ("002", True), ("003", False)])
async def test_code_starts_on_what_was_taken_away_only_when_it_does_without(
    database: Database, files: Path, since: str, starts: bool
) -> None:
    (files / "003_copy_turn.sql").write_text("ALTER TABLE jobs ADD COLUMN place BIGINT")
    (files / f"004_contract_{since}_drop_turn.sql").write_text("ALTER TABLE jobs DROP COLUMN turn")
    await migrate(database, files)
    for newer in ("003_copy_turn.sql", f"004_contract_{since}_drop_turn.sql"):
        (files / newer).unlink()

    if starts:
        assert await migrate(database, files) == []
    else:
        with pytest.raises(MigrationError, match=r"004_contract_003_drop_turn: took away .*; deploy code that has 003"):
            await migrate(database, files)


@pytest.mark.parametrize("since", ["000", "003", "004"])
async def test_what_is_taken_away_is_done_without_since_an_earlier_migration(
    database: Database, files: Path, since: str
) -> None:
    (files / f"003_contract_{since}_drop_turn.sql").write_text("ALTER TABLE jobs DROP COLUMN turn")

    with pytest.raises(MigrationError, match=f"is not done without since {since}"):
        await migrate(database, files)


async def test_when_nothing_is_missing_nothing_is_locked(database: Database, replica: Database, files: Path) -> None:
    await migrate(database, files)

    async with database.exclusive(), asyncio.timeout(5):
        assert await asyncio.create_task(migrate(replica, files)) == []


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
