"""What `studio doctor` says of a database, having knocked at it."""

from __future__ import annotations

import asyncio

import pytest

from clients.cli.database_check import check_database
from clients.cli.findings import Finding
from tests.postgres import shared_postgres
from tests.postgres_pooler import running_pooler


async def examined(url: str, *, is_production: bool = False) -> Finding:
    return await asyncio.to_thread(check_database, {"DATABASE_URL": url}, is_production=is_production)


async def test_what_is_embedded_needs_nobody() -> None:
    assert await examined("") == Finding("database", True, "SQLite, in the data directory")


async def test_a_server_that_is_well_is_told_with_its_version(postgres_url: str) -> None:
    finding = await examined(postgres_url, is_production=True)

    assert finding.ok and finding.found.startswith("PostgreSQL ")
    assert finding.found.endswith(", 100 connections for all")


async def test_a_network_without_tls_is_a_problem_in_production_alone(postgres_url: str) -> None:
    url = postgres_url.replace("127.0.0.1", "0.0.0.0")

    assert (await examined(url)).ok
    finding = await examined(url, is_production=True)
    assert (finding.ok, finding.todo) == (False, "set sslmode=require or verify-full")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("mysql://studio:hunter2@db/studio", "must begin with sqlite:/// or postgresql://"),
        ("postgresql://postgres:hunter2@127.0.0.1:1/studio", "does not answer (ConnectionRefusedError"),
    ],
)
async def test_what_does_not_answer_or_cannot_is_said_without_secrets(url: str, found: str) -> None:
    finding = await examined(url)

    assert not finding.ok and finding.found.startswith(found)
    assert "DATABASE_URL" in finding.todo and "hunter2" not in finding.found


async def test_what_is_refused_is_said_in_the_same_words_as_at_the_start() -> None:
    finding = await examined(shared_postgres().url_of("missing"))

    assert (finding.found, finding.todo) == ("names a database that the server does not have", "mend DATABASE_URL")


async def test_a_pooler_without_sessions_is_found_out(postgres_url: str) -> None:
    async with running_pooler(postgres_url, "transaction") as (_, url):
        finding = await examined(url)

    assert finding.found.startswith("is that of a pooler in transaction mode")
