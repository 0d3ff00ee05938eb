"""PostgreSQL over asyncpg: production. Each service has its own schema."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from chassis.database.postgres_errors import Connection, is_closed, talking_over, translated
from chassis.database.postgres_refusals import needing_rights
from chassis.database.postgres_sessions import Sessions, plain, require_sessions
from chassis.database.protocol import Row, Transaction, Value
from chassis.database.rules import Lifetime, OpenTransactions
from chassis.errors import Unavailable

_ACQUIRE_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 10.0
_FAILING_OVER = 10.0
"""Seconds in which connections are not made anew twice because a server takes no writes."""

# Both are readable for everybody, also for a role that may do nothing in a schema.
_HAS_SCHEMA = "SELECT 1 FROM pg_namespace WHERE nspname = $1"
_WHAT_IT_IS = "SELECT current_setting('server_version'), current_setting('max_connections')"
_HAS_TABLE = "SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = $2"


async def open_postgres(
    url: str, *, schema: str, former_schema: str | None, pool_size: int, statement_timeout: float
) -> PostgresDatabase:
    """Makes the schema when it is missing, and there is no other with our tables that had a former name."""
    async with plain(url) as connection:
        await require_sessions(connection, url)
        if former_schema is not None and await _is_ours(connection, former_schema):
            schema = former_schema
        is_there = await connection.fetchrow(_HAS_SCHEMA, schema) is not None
    sessions = Sessions(url, schema, statement_timeout)
    if not is_there:
        await _create_schema(sessions)
    with translated():
        return PostgresDatabase(await sessions.pool(pool_size), sessions)


async def describe_postgres(url: str) -> str:
    """Its version, and how many connections it takes of everybody."""
    async with plain(url) as connection:
        await require_sessions(connection, url)
        version, most = await connection.fetchrow(_WHAT_IT_IS) or ("?", "?")
    return f"PostgreSQL {version}, {most} connections for all"


async def _is_ours(connection: Connection, schema: str) -> bool:
    return await connection.fetchrow(_HAS_TABLE, schema, "schema_migrations") is not None


async def _create_schema(sessions: Sessions) -> None:
    """Asks for the right to create, and so must not be called when there is nothing to create."""
    async with _exclusive(sessions) as transaction:
        await transaction.execute(f'CREATE SCHEMA IF NOT EXISTS "{sessions.schema}"')


class PostgresDatabase:
    """One schema, over a pool of connections."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], sessions: Sessions) -> None:
        self._pool = pool
        self._sessions = sessions
        self._inside = OpenTransactions()
        self._made_anew_at = -math.inf

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
            async with _exclusive(self._sessions) as transaction:
                yield transaction

    async def has_table(self, name: str) -> bool:
        return bool(await self.fetch(_HAS_TABLE, self._sessions.schema, name))

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
        except Unavailable as exc:
            if isinstance(exc.__cause__, asyncpg.ReadOnlySQLTransactionError):
                await self._make_anew()
            raise
        finally:
            await self._pool.release(connection)

    async def _make_anew(self) -> None:
        """Lets go of connections to a server that does not write: another may have taken over from it."""
        if time.monotonic() - self._made_anew_at > _FAILING_OVER:
            self._made_anew_at = time.monotonic()
            await self._pool.expire_connections()


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
async def _exclusive(sessions: Sessions) -> AsyncIterator[Transaction]:
    """Raises Unavailable when another process does not end its own for some seconds."""
    async with sessions.one() as connection, _transaction(connection) as transaction:
        with needing_rights():
            await transaction.execute("SELECT pg_advisory_xact_lock($1)", _lock_key(sessions.schema))
            yield transaction


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
