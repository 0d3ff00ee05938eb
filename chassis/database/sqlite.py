"""SQLite in the process: the embedded default.

Statements run on the event loop: at some microseconds each they cost less than any way of moving them off it.
One connection writes (`sqlite_writer.py`); another only reads, so it never sees what is not committed.
When another program holds the file, SQLite is told not to wait: calls do, between tries, and the event loop goes on.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

from chassis.database.protocol import DatabaseRefused, Row, Transaction, Value, unavailable
from chassis.database.rules import OpenTransactions
from chassis.database.sqlite_errors import Held, translated
from chassis.database.sqlite_writer import SQLiteWriter, fetch, now_and_patience, when_free

_OLDEST = (3, 35)  # the first that knows RETURNING

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
        return SQLiteDatabase(SQLiteWriter(writer), reader, opened.pop_all())


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
            # One thread at a time all the same: commits are made by another one than the statements.
            check_same_thread=False,
            detect_types=sqlite3.PARSE_DECLTYPES,
        )
    connection.row_factory = sqlite3.Row
    return connection


def _make_durable(writer: sqlite3.Connection, path: Path) -> None:
    if fetch(writer, "PRAGMA journal_mode = WAL")[0][0] != "wal":
        raise DatabaseRefused(f"no write-ahead log at {path}: DATABASE_URL must name a file on a local disk")
    fetch(writer, "PRAGMA synchronous = FULL")
    fetch(writer, "PRAGMA foreign_keys = ON")


class SQLiteDatabase:
    """The whole database of one process, in one file."""

    def __init__(self, writer: SQLiteWriter, reader: sqlite3.Connection, opened: ExitStack) -> None:
        self._writer = writer
        self._reader = reader
        self._opened = opened
        self._inside = OpenTransactions()

    async def fetch(self, sql: str, *args: Value) -> list[Row]:
        self._inside.refuse_inside()
        try:
            return self._read(sql, *args)
        except Held:
            return await when_free(now_and_patience(), lambda: self._read(sql, *args))

    def _read(self, sql: str, *args: Value) -> list[Row]:
        # It may have been closed while we waited.
        if self._writer.closed:
            raise unavailable()
        return fetch(self._reader, sql, *args)

    async def fetch_one(self, sql: str, *args: Value) -> Row | None:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def execute(self, sql: str, *args: Value) -> int:
        async with self.transaction() as transaction:
            return await transaction.execute(sql, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        with self._inside.entered():
            async with self._writer.transaction() as transaction:
                yield transaction

    exclusive = transaction

    async def has_table(self, name: str) -> bool:
        return bool(await self.fetch("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1", name))

    async def ping(self) -> None:
        # Unlike SELECT 1, this reads the file.
        await self.fetch("PRAGMA schema_version")

    async def close(self) -> None:
        self._inside.refuse_inside()
        await self._writer.close()
        self._opened.close()
