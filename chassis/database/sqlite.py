"""SQLite in the process: the embedded default.

Calls run on the event loop: at some microseconds each they cost less than any way of moving them off it.
One connection writes, under a lock; another only reads, so it never sees what is not committed.
When another program holds the file, SQLite is told not to wait: calls do, between tries, and the event loop goes on.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any, TypeVar

from chassis.database.protocol import DatabaseRefused, Row, Transaction, Value, unavailable
from chassis.database.rules import Lifetime, OpenTransactions
from chassis.database.sqlite_errors import Held, translated

_OLDEST = (3, 35)  # the first that knows RETURNING
_PATIENCE = 2.0  # seconds a call waits for a shell, or a backup, that holds the file
_TRY_EVERY = 0.01  # seconds

T = TypeVar("T")

sqlite3.register_converter("BOOLEAN", lambda stored: stored != b"0")


def open_sqlite(path: Path) -> SQLiteDatabase:
    """Must be the only one to open `path`: to a second process it is refused."""
    if sqlite3.sqlite_version_info < _OLDEST:
        raise DatabaseRefused(f"SQLite {_OLDEST[0]}.{_OLDEST[1]} or later is needed; this is {sqlite3.sqlite_version}")
    with ExitStack() as opened:
        _make_ours(path, opened)
        writer = opened.enter_context(closing(_connect(path, "rw")))
        _make_durable(writer, path)
        reader = opened.enter_context(closing(_connect(path, "ro")))
        return SQLiteDatabase(writer, reader, opened.pop_all())


def _make_ours(path: Path, opened: ExitStack) -> None:
    """Locks the file, and makes it if need be."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened.callback(os.close, _claim(path))
        path.touch(mode=0o600)
    except OSError as exc:
        raise unavailable() from exc


def _claim(path: Path) -> int:
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(descriptor)
        raise DatabaseRefused(
            f"another process uses {path}: a SQLite file serves one process; set DATABASE_URL to another file,"
            " or to PostgreSQL"
        ) from exc
    return descriptor


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    with translated():
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode={mode}",
            uri=True,
            timeout=0,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES,
        )
    connection.row_factory = sqlite3.Row
    return connection


def _make_durable(writer: sqlite3.Connection, path: Path) -> None:
    if _fetch(writer, "PRAGMA journal_mode = WAL")[0][0] != "wal":
        raise DatabaseRefused(f"no write-ahead log at {path}: DATABASE_URL must name a file on a local disk")
    _fetch(writer, "PRAGMA synchronous = FULL")
    _fetch(writer, "PRAGMA foreign_keys = ON")


class SQLiteDatabase:
    """The whole database of one process, in one file."""

    def __init__(self, writer: sqlite3.Connection, reader: sqlite3.Connection, opened: ExitStack) -> None:
        self._writer = writer
        self._reader = reader
        self._opened = opened
        self._closed = False
        self._write_lock = asyncio.Lock()
        self._inside = OpenTransactions()

    async def fetch(self, sql: str, *args: Value) -> list[Row]:
        self._inside.refuse_inside()
        self._require_open()
        try:
            return _fetch(self._reader, sql, *args)
        except Held:
            return await _when_free(_deadline(), lambda: self._read(sql, *args))

    def _read(self, sql: str, *args: Value) -> list[Row]:
        # It may have been closed while we waited.
        self._require_open()
        return _fetch(self._reader, sql, *args)

    async def fetch_one(self, sql: str, *args: Value) -> Row | None:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def execute(self, sql: str, *args: Value) -> int:
        self._inside.refuse_inside()
        # From here on: whoever waits for our own lock first has waited as well.
        deadline = _deadline()
        async with self._write_lock:
            self._require_open()
            return await _when_free(deadline, lambda: _execute(self._writer, sql, *args))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        with self._inside.entered():
            deadline = _deadline()
            async with self._write_lock:
                self._require_open()
                await _when_free(deadline, lambda: _fetch(self._writer, "BEGIN IMMEDIATE"))
                transaction = SQLiteTransaction(self._writer)
                try:
                    yield transaction
                    transaction.commit()
                finally:
                    transaction.end()

    exclusive = transaction

    async def has_table(self, name: str) -> bool:
        return bool(await self.fetch("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1", name))

    async def ping(self) -> None:
        # Unlike SELECT 1, this reads the file.
        await self.fetch("PRAGMA schema_version")

    async def close(self) -> None:
        self._inside.refuse_inside()
        async with self._write_lock:
            self._closed = True
            self._opened.close()

    def _require_open(self) -> None:
        if self._closed:
            raise unavailable()


class SQLiteTransaction:
    """What happens on the writer between BEGIN IMMEDIATE and COMMIT."""

    def __init__(self, writer: sqlite3.Connection) -> None:
        self._writer = writer
        self._lifetime = Lifetime()

    async def fetch(self, sql: str, *args: Value) -> list[Row]:
        with self._lifetime.statement():
            return _fetch(self._writer, sql, *args)

    async def fetch_one(self, sql: str, *args: Value) -> Row | None:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def execute(self, sql: str, *args: Value) -> int:
        with self._lifetime.statement():
            return _execute(self._writer, sql, *args)

    def commit(self) -> None:
        with self._lifetime.statement():
            _fetch(self._writer, "COMMIT")

    def end(self) -> None:
        """Rolls back what was not committed."""
        self._lifetime.end()
        if self._writer.in_transaction:
            _fetch(self._writer, "ROLLBACK")


def _deadline() -> float:
    return time.monotonic() + _PATIENCE


async def _when_free(deadline: float, call: Callable[[], T]) -> T:
    """Tries until no other program holds the file; raises Held when that takes too long."""
    while True:
        try:
            return call()
        except Held:
            if time.monotonic() >= deadline:
                raise
        await asyncio.sleep(_TRY_EVERY)


def _fetch(connection: sqlite3.Connection, sql: str, *args: Value) -> list[Row]:
    return _run(connection, sql, args)[0]


def _execute(connection: sqlite3.Connection, sql: str, *args: Value) -> int:
    before = connection.total_changes
    _, changed = _run(connection, sql, args)
    # sqlite3 counts only statements that begin with the verb: not those that begin with WITH.
    if changed < 0:
        changed = _fetch(connection, "SELECT changes()")[0][0] if connection.total_changes > before else 0
    return changed


def _run(connection: sqlite3.Connection, sql: str, args: tuple[Value, ...]) -> tuple[list[Any], int]:
    with translated():
        cursor = connection.execute(sql, {str(number): value for number, value in enumerate(args, 1)})
        return cursor.fetchall(), cursor.rowcount
