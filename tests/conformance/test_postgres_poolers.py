"""PostgreSQL through a pooler: in session mode as without one, in transaction mode not at all."""

from __future__ import annotations

import asyncio

import pytest

from chassis.database import DatabaseRefused, open_database
from tests.postgres_pooler import running_pooler


async def test_in_session_mode_all_is_as_without_a_pooler(postgres_url: str, schema: str) -> None:
    async with running_pooler(postgres_url, "session") as (_, url):
        database = await open_database(url, schema=schema, statement_timeout=7)
        await database.execute("CREATE TABLE t(id TEXT)")
        async with database.transaction() as transaction:
            await transaction.execute("INSERT INTO t(id) VALUES ('a')")
        async with database.exclusive() as transaction:
            assert len(await transaction.fetch("SELECT id FROM t")) == 1
        row = await database.fetch_one(
            "SELECT current_schema(), current_setting('statement_timeout'), current_setting('transaction_isolation')"
        )
        await database.close()

    assert row is not None and tuple(row) == (schema, "7s", "read committed")


async def test_in_transaction_mode_it_is_refused_and_nothing_is_made(postgres_url: str, schema: str) -> None:
    async with running_pooler(postgres_url, "transaction") as (_, url):
        with pytest.raises(DatabaseRefused, match="pooler in transaction mode"):
            await open_database(url, schema=schema)

    direct = await open_database(postgres_url, schema=f"{schema}_b")
    assert await direct.fetch("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema) == []
    await direct.close()


async def test_in_transaction_mode_it_is_refused_while_others_are_busy_there(postgres_url: str, schema: str) -> None:
    async with running_pooler(postgres_url, "transaction") as (pooler, url):
        refusals = await asyncio.gather(*(open_database(url, schema=schema) for _ in range(8)), return_exceptions=True)

        assert all(isinstance(refusal, DatabaseRefused) for refusal in refusals), refusals
        assert pooler.opened > 1


async def test_a_pool_has_as_many_connections_as_it_is_told_and_no_more(postgres_url: str, schema: str) -> None:
    async with running_pooler(postgres_url, "session") as (pooler, url):
        database = await open_database(url, schema=schema, pool_size=3)
        before = pooler.opened

        await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.02)") for _ in range(12)))

        assert pooler.opened - before == 2  # and the one it began with
        await database.close()
