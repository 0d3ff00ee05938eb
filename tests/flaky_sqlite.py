"""A connection to a SQLite file that fails and waits where a test wants it to."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WHOLE = "SELECT 'which SQLite answers by rolling back everything'"
"""A statement that fails and takes the whole transaction with it, as on a full disk."""


class FlakyConnection(sqlite3.Connection):
    """Runs the statements around transactions as planned; in a thread, not before it may."""

    plan: Mapping[str, list[str]]
    """By statement, how it goes the next times: `fails`, `rolls back`, or else it succeeds, as ever after."""
    may: threading.Semaphore
    waits: threading.Event

    def execute(self, sql: str, *args: Any) -> sqlite3.Cursor:
        self._wait()
        planned = self.plan.get(sql)
        how = planned.pop(0) if planned else ""
        if sql == WHOLE or how in ("fails", "rolls back"):
            raise self._full(rolls_back=how != "fails")
        return super().execute(sql, *args)

    def _wait(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            self.waits.set()
            assert self.may.acquire(timeout=30)

    def _full(self, *, rolls_back: bool) -> sqlite3.OperationalError:
        if rolls_back and self.in_transaction:
            super().execute("ROLLBACK")
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        return error


def connect_flaky(path: Path, plan: Mapping[str, list[str]]) -> FlakyConnection:
    """With an empty table of notes."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=FlakyConnection)
    connection.plan, connection.may, connection.waits = {}, threading.Semaphore(0), threading.Event()
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE notes (writer INTEGER, number INTEGER, PRIMARY KEY (writer, number))")
    connection.plan = plan
    return connection
