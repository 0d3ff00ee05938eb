"""PostgreSQL over asyncpg: production. Each service has its own schema."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from chassis.database.postgres_errors import Connection, is_closed, talking_over, translated
from chassis.database.protocol import Row, Transaction, Value
from chassis.database.rules import Lifetime, OpenTransactions

_CONNECT_TIMEOUT = 10.0
_ACQUIRE_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 10.0
_NO_LIMIT = 0.0
_IDLE_TIMEOUT = 10.0
"""Seconds between two statements of a transaction: in ours nothing else is awaited, so one that takes longer is of a
process that hangs, and others wait for its locks."""
_NETWORK_SLACK = 5.0  # seconds we give the network beyond the server's own limit for a statement


async def open_postgres(url: str, *, schema: str, pool_size: int, statement_timeout: float) -> PostgresDatabase:
    """Makes the schema when it is missing."""
    with translated():
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=pool_size,
            timeout=_CONNECT_TIMEOUT,
            command_timeout=statement_timeout + _NETWORK_SLACK,
            server_settings=_settings(schema, statement_timeout),
            reset=_keep_session,
        )
    database = PostgresDatabase(pool, url, schema)
    try:
        await _create_schema(database, schema)
    except BaseException:
        await database.close()
        raise
    return database


def _settings(schema: str, statement_timeout: float) -> dict[str, str]:
    limit, idle = (str(round(seconds * 1000)) for seconds in (statement_timeout, min(statement_timeout, _IDLE_TIMEOUT)))
    return {
        "application_name": schema,
        "search_path": f'"{schema}"',
        "default_transaction_isolation": "read committed",
        "statement_timeout": limit,
        "idle_in_transaction_session_timeout": idle,
    }


async def _keep_session(connection: Connection) -> None:
    """Spares a round trip on each release: nothing here leaves session state behind, and asyncpg has rolled back."""


async def _create_schema(database: PostgresDatabase, schema: str) -> None:
    # IF NOT EXISTS asks for the right to create even when there is nothing to create.
    if await database.fetch("SELECT 1 FROM pg_namespace WHERE nspname = $1", schema):
        return
    async with database.exclusive() as transaction:
        await transaction.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')


class PostgresDatabase:
    """One schema, over a pool of connections."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], url: str, schema: str) -> None:
        self._pool = pool
        self._url = url
        self._schema = schema
        self._inside = OpenTransactions()

    async def fetch(self, sql: str, *args: Value) -> list[Row]:
        async with self._connection() as connection:
            return await _fetch(connection, sql, *args)

    async def fetch_one(self, sql: str, *args: Value) -> Row | None:
        async with self._connection() as connection:
            return await _fetch_one(connection, sql, *args)

    async def execute(self, sql: str, *args: Value) -> int:
        async with self._connection() as connection:
            return await _execute(connection, sql, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self._connection() as connection:
            with self._inside.entered():
                async with _transaction(connection) as transaction:
                    yield transaction

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[Transaction]:
        with self._inside.entered():
            with translated():
                settings = _settings(self._schema, _NO_LIMIT)
                connection = await asyncpg.connect(self._url, timeout=_CONNECT_TIMEOUT, server_settings=settings)
            try:
                async with _transaction(connection) as transaction:
                    await transaction.execute("SELECT pg_advisory_xact_lock($1)", _lock_key(self._schema))
                    yield transaction
            finally:
                await connection.close(timeout=_CLOSE_TIMEOUT)

    async def ping(self) -> None:
        await self.fetch("SELECT 1")

    async def close(self) -> None:
        self._inside.refuse_inside()
        # close() terminates what has not been given back in time.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._pool.close(), _CLOSE_TIMEOUT)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        self._inside.refuse_inside()
        with translated(self._pool.is_closing):
            async with asyncio.timeout(_ACQUIRE_TIMEOUT):
                connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            await self._pool.release(connection)


class PostgresTransaction:
    """What happens on one connection between BEGIN and COMMIT."""

    def __init__(self, connection: Connection, lifetime: Lifetime) -> None:
        self._connection = connection
        self._lifetime = lifetime

    async def fetch(self, sql: str, *args: Value) -> list[Row]:
        with self._lifetime.statement():
            return await _fetch(self._connection, sql, *args)

    async def fetch_one(self, sql: str, *args: Value) -> Row | None:
        with self._lifetime.statement():
            return await _fetch_one(self._connection, sql, *args)

    async def execute(self, sql: str, *args: Value) -> int:
        with self._lifetime.statement():
            return await _execute(self._connection, sql, *args)


@asynccontextmanager
async def _transaction(connection: Connection) -> AsyncIterator[Transaction]:
    lifetime = Lifetime()
    block = connection.transaction()
    with talking_over(connection):
        await block.start()
    try:
        yield PostgresTransaction(connection, lifetime)
        lifetime.require()
    except BaseException:
        await _roll_back(block, connection)
        raise
    finally:
        lifetime.end()
    with talking_over(connection):
        await block.commit()


async def _roll_back(block: asyncpg.transaction.Transaction, connection: Connection) -> None:
    """Keeps the error that led here: a connection that cannot say ROLLBACK is cut, and the server rolls back."""
    try:
        await block.rollback()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        if not is_closed(connection):
            connection.terminate()


async def _fetch(connection: Connection, sql: str, *args: Value) -> list[Row]:
    with talking_over(connection):
        rows: list[Any] = await connection.fetch(sql, *args)
        return rows


async def _fetch_one(connection: Connection, sql: str, *args: Value) -> Row | None:
    with talking_over(connection):
        row: Row | None = await connection.fetchrow(sql, *args)
        return row


async def _execute(connection: Connection, sql: str, *args: Value) -> int:
    with talking_over(connection):
        tag = await connection.execute(sql, *args)
    verb, _, count = tag.partition(" ")
    return int(count.rpartition(" ")[2]) if verb in {"INSERT", "UPDATE", "DELETE"} else 0


def _lock_key(schema: str) -> int:
    return int.from_bytes(hashlib.sha256(f"migrations of {schema}".encode()).digest()[:8], "big", signed=True)
