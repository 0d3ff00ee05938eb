"""Services as processes, and their database: when they start, wait, refuse, and who of them makes the tables."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

import services.generation.wiring
import services.prompt.wiring
import services.storage.wiring
from chassis.database import open_database
from tests.builders import FILES_SECRET, service_token
from tests.postgres import PostgresServer, running_postgres, shared_postgres
from tests.processes import running_process

MIGRATIONS = {
    "prompt": services.prompt.wiring.MIGRATIONS,
    "generation": services.generation.wiring.MIGRATIONS,
    "storage": services.storage.wiring.MIGRATIONS,
}


def environ(data_dir: Path, database_url: str, **more: str) -> dict[str, str]:
    """What any of the three needs."""
    return {
        "STUDIO_DATA_DIR": str(data_dir),
        "STUDIO_PUBLIC_URL": "https://studio.example",
        "SERVICE_TOKEN": service_token(),
        "FILES_SECRET": FILES_SECRET,
        **dict.fromkeys(("PROMPT_PORT", "GENERATION_PORT", "STORAGE_PORT"), "0"),
        "DATABASE_URL": database_url,
        **more,
    }


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One that a test may stop."""
    with running_postgres() as server:
        yield server


async def test_replicas_that_start_at_once_on_an_empty_database_make_each_table_once(tmp_path: Path) -> None:
    url = shared_postgres().create_database()
    async with AsyncExitStack() as stack:

        async def started(service: str) -> tuple[str, list[dict[str, Any]]]:
            running = await stack.enter_async_context(running_process(f"services.{service}", **environ(tmp_path, url)))
            return service, await running.logged_until("listening")

        said = await asyncio.gather(*(started(service) for service in MIGRATIONS for _ in range(2)))

    made = [(service, line["migrations"]) for service, lines in said for line in lines if line["message"] == "migrated"]
    files = {
        service: sorted(file.stem for file in directory.glob("*.sql")) for service, directory in MIGRATIONS.items()
    }
    assert dict(made) == files
    assert len(made) == len(MIGRATIONS)
    assert {line["level"] for _, lines in said for line in lines} <= {"INFO", "WARNING"}
    for service, names in files.items():
        database = await open_database(url, schema=f"studio_{service}")
        rows = await database.fetch("SELECT name FROM schema_migrations ORDER BY version")
        await database.close()
        assert [row["name"] for row in rows] == names


async def test_a_server_that_is_not_up_yet_is_waited_for(tmp_path: Path, server: PostgresServer) -> None:
    server.stop()
    async with running_process("services.prompt", **environ(tmp_path, server.url)) as running:
        waiting = await running.logged("waiting to start")
        await asyncio.to_thread(server.start)

        await running.logged("listening")

    assert waiting["why"].startswith("ConnectionRefusedError")


async def test_a_database_that_is_not_there_refuses_to_start_in_one_sentence(tmp_path: Path) -> None:
    url = shared_postgres().url_of("missing", "postgres:hunter2")
    async with running_process("services.prompt", **environ(tmp_path, url)) as running:
        code, _, complained = await running.ended()

    assert code == 2
    assert complained == "prompt does not start:\nDATABASE_URL: names a database that the server does not have\n"


async def test_an_address_that_is_none_is_reported_with_everything_else(tmp_path: Path) -> None:
    variables = {"DATABASE_POOL_SIZE": "0", "DATABASE_STATEMENT_TIMEOUT": "soon"}
    url = "postgresql://studio:hunter2@home@db/studio"
    async with running_process("services.prompt", **environ(tmp_path, url, **variables)) as running:
        code, _, complained = await running.ended()

    assert code == 2
    assert [line.partition(":")[0] for line in complained.splitlines()[1:]] == [
        "DATABASE_POOL_SIZE", "DATABASE_STATEMENT_TIMEOUT", "DATABASE_URL",
    ]  # fmt: skip
    assert "hunter2" not in complained


@pytest.mark.parametrize(
    ("environment", "host", "warned"),
    [("production", "0.0.0.0", True), ("production", "127.0.0.1", False), ("local", "0.0.0.0", False)],
)
async def test_in_production_a_network_without_tls_is_warned_of(
    tmp_path: Path, environment: str, host: str, warned: bool
) -> None:
    url = shared_postgres().create_database().replace("127.0.0.1", host)
    variables = environ(tmp_path, url, STUDIO_ENV=environment)
    async with running_process("services.prompt", **variables) as running:
        lines = await running.logged_until("listening")

    warnings = [line["message"] for line in lines if line["level"] == "WARNING"]
    assert any("sslmode" in warning for warning in warnings) == warned
    assert "postgresql:" not in json.dumps(lines)
