"""What a store may ask of its database, whichever adapter answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeAlias, overload

from chassis.errors import Unavailable

Value: TypeAlias = str | int | float | bool | bytes | None
"""What a placeholder takes. Lists expand to `IN ($1, $2)`; ids and times come from the application."""


class Row(Protocol):
    """One row: `row["id"]`, `row[0]`, `a, b = row` and `dict(row)` all work."""

    @overload
    def __getitem__(self, key: str, /) -> Any: ...
    @overload
    def __getitem__(self, key: int, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def keys(self) -> Iterable[str]: ...


class Transaction(Protocol):
    """Statements that all happen or none; handed out by `Database.transaction`.

    Nothing but the database may be awaited while one is open: on SQLite every other writer is waiting.
    A statement that fails ends it, also when the caller catches the error: what follows raises RuntimeError,
    and nothing is committed. Let the error leave the block, or say ON CONFLICT.
    """

    async def fetch(self, sql: str, *args: Value) -> list[Row]: ...

    async def fetch_one(self, sql: str, *args: Value) -> Row | None: ...

    async def execute(self, sql: str, *args: Value) -> int:
        """The number of rows inserted, updated or deleted."""


class Database(Protocol):
    """One service's database.

    Every method raises `Unavailable` when the database cannot answer, and `UniqueViolation` where it says so.
    Inside a transaction only the transaction may be used: the database's own methods raise RuntimeError there,
    for they would not see its writes, and could wait for it for ever.
    """

    async def fetch(self, sql: str, *args: Value) -> list[Row]:
        """Reads what is committed; writes with RETURNING belong in a transaction."""

    async def fetch_one(self, sql: str, *args: Value) -> Row | None: ...

    async def execute(self, sql: str, *args: Value) -> int:
        """One statement in its own transaction; the number of rows inserted, updated or deleted."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Commits when the block ends, rolls back when an exception, cancellation too, leaves it.

        Whoever is cancelled while it commits does not hear whether it did.
        PostgreSQL runs it READ COMMITTED: to decide on what was read, first lock the row by updating it.
        """

    def exclusive(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction without time limits that no other process's exclusive one overlaps; for migrations."""

    async def has_table(self, name: str) -> bool: ...

    async def ping(self) -> None: ...

    async def close(self) -> None: ...


class DatabaseRefused(Exception):
    """The database cannot be used as it is set up; the message says what to mend, and no secret."""


class UniqueViolation(Exception):
    """Another row already has these values; a store turns it into an error of its domain.

    `columns` is empty when the database names none, as for an index over an expression.
    """

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        super().__init__(f"not unique: {table} ({', '.join(columns)})")
        self.table = table
        self.columns = columns


UNAVAILABLE = "the database is not available"


def unavailable() -> Unavailable:
    return Unavailable(UNAVAILABLE)
