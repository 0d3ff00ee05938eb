"""Fixtures that more than one directory needs."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chassis.database import Database, migrate, open_database
from tests.databases import BOTH, database_settings
from tests.nats import NatsServer, start_nats
from tests.postgres import shared_postgres, stop_shared_postgres

_SETTINGS = (
    "STUDIO_", "DATABASE_", "NATS_", "PROMPT_PORT", "GENERATION_PORT", "STORAGE_PORT", "NANO_BANANA_", "GEMINI_",
    "SUPABASE_", "JWT_", "SERVICE_", "FILES_SECRET", "CORS_ORIGINS", "START_BY", "FINISH_BY", "MAX_ACTIVE_JOBS",
    "SUBMITS_PER_MINUTE", "RENDER_WINDOW", "SIGNED_URL_TTL", "STOP_NOTICE", "PROMPT_ADDRESS", "GENERATION_ADDRESS",
    "STORAGE_ADDRESS", "TEMPLATES_", "PG",
)  # fmt: skip

# Before any test is collected: what the developer's shell sets must not steer a test or the processes it starts.
for _name in [name for name in os.environ if name.startswith(_SETTINGS)]:
    del os.environ[_name]


@pytest.fixture(scope="session", autouse=True)
def _no_server_is_left() -> Iterator[None]:
    yield
    stop_shared_postgres()


@pytest.fixture(scope="session")
def postgres_url() -> str:
    """One server for each worker; tests share it, each in its own `schema`."""
    return shared_postgres().url


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    """A server of the test's own, with nothing in it: it takes 15 ms to start, and may be killed."""
    server = start_nats(tmp_path / "nats")
    yield server
    server.stop()


@pytest.fixture
def schema() -> str:
    return f"test_{uuid.uuid4().hex}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Every test that asks for it runs once on each adapter."""
    if request.param == "sqlite":
        return f"sqlite://{tmp_path}/test.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=BOTH)
def each_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """For a test that runs services of its own in `tmp_path`: it does so on each database in turn."""
    kind: str = request.param
    database_settings(tmp_path, kind)
    return kind


@pytest.fixture
def migrations() -> Path | None:
    """Where `database` starts from; a test module overrides it with its service's directory."""
    return None


@pytest.fixture
async def database(database_url: str, schema: str, migrations: Path | None) -> AsyncIterator[Database]:
    database = await open_database(database_url, schema=schema)
    try:
        if migrations is not None:
            await migrate(database, migrations)
        yield database
    finally:
        await database.close()
