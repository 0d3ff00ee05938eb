"""Which database the services of a test run on: SQLite, and PostgreSQL with `TEST_DATABASE=postgresql`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chassis.database import Database, open_database
from tests.postgres import shared_postgres

SQLITE, POSTGRESQL = "sqlite", "postgresql"
CHOSEN = os.environ.get("TEST_DATABASE") or SQLITE
if CHOSEN not in (SQLITE, POSTGRESQL):
    raise ValueError(f"TEST_DATABASE: must be {SQLITE} or {POSTGRESQL}")
BOTH = (SQLITE, POSTGRESQL) if CHOSEN == SQLITE else (POSTGRESQL,)
"""What a test runs on that is worth the time twice."""

on_both_databases = pytest.mark.parametrize("system", BOTH, indirect=True)
"""For a test whose system others use as well."""

_on_postgres: dict[Path, str] = {}


def database_settings(data_dir: Path, kind: str = CHOSEN) -> dict[str, str]:
    """What gives the services of a data directory a database: one of their own, the same whenever they start."""
    if kind == POSTGRESQL and data_dir not in _on_postgres:
        _on_postgres[data_dir] = shared_postgres().create_database()
    return {"DATABASE_URL": _on_postgres[data_dir]} if data_dir in _on_postgres else {}


def url_of(service: str, data_dir: Path) -> str:
    return database_settings(data_dir).get("DATABASE_URL", f"sqlite:///{data_dir.resolve() / service}.db")


@asynccontextmanager
async def database_of(service: str, data_dir: Path, url: str | None = None) -> AsyncIterator[Database]:
    """A service's own, at `url` or else that of its data directory; on SQLite it must not run meanwhile."""
    database = await open_database(url or url_of(service, data_dir), schema=f"studio_{service}")
    try:
        yield database
    finally:
        await database.close()
