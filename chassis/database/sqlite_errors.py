"""What SQLite raises, in the words of the protocol."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from chassis.database.protocol import UNAVAILABLE, UniqueViolation, unavailable
from chassis.errors import Unavailable

_UNAVAILABLE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_PROTOCOL,
}
_NOT_UNIQUE = {
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
}


class Held(Unavailable):
    """Another program holds the file; nothing was done."""


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        code: int = getattr(exc, "sqlite_errorcode", 0)  # absent when sqlite3 itself refuses
        if code in _NOT_UNIQUE:
            raise _unique_violation(str(exc)) from exc
        if code & 0xFF == sqlite3.SQLITE_BUSY:  # the low byte is the kind, the rest the variant
            raise Held(UNAVAILABLE) from exc
        if code & 0xFF in _UNAVAILABLE:
            raise unavailable() from exc
        raise


def _unique_violation(text: str) -> UniqueViolation:
    """Reads `UNIQUE constraint failed: jobs.user_id, jobs.name`, or `… failed: index 'name'`."""
    found = re.findall(r"(\w+)\.(\w+)", text)
    return UniqueViolation(found[0][0] if found else "", tuple(column for _, column in found))
