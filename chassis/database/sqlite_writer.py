"""The one connection that writes to a SQLite file.

To commit is to wait for the disk, as long as dozens of reads take. What comes meanwhile is committed together when that
is done, so the disk is waited for once for all of them; where there are several, a thread waits, not the event loop.
Each transaction is a savepoint in the common one, so one that fails takes back what it did and leaves the others alone.
They are durable, or fail, together.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

from chassis.database.protocol import Row, Value, unavailable
from chassis.database.rules import Lifetime
from chassis.database.sqlite_errors import Held, translated

_PATIENCE = 2.0  # seconds a call waits for a shell, or a backup, that holds the file
_TRY_EVERY = 0.01  # seconds

T = TypeVar("T")


class SQLiteWriter:
    """Runs transactions one after the other, and commits them in groups."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()
        self._group: _Group | None = None
        self._disk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-commit")
        # Its thread starts now: if there is none to be had, better nothing is open than something half committed.
        self._disk.submit(int).result()
        self.closed = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SQLiteTransaction]:
        """Committed, with all it may have read of others, when the block is left; also when that fails."""
        # From here on: whoever waits for a turn first has waited as well.
        deadline = now_and_patience()
        async with self._turn:
            self._require_open()
            group = self._group or await self._begin(deadline)
            failure = None
            try:
                with self._part(group) as transaction:
                    yield transaction
            except Exception as error:
                failure = error
        await group.committed()
        if failure is not None:
            raise failure

    async def close(self) -> None:
        """Commits what was written; nothing can be written any more."""
        async with self._turn:
            if self._group is not None:
                await self._commit(self._group)
            self.closed = True
            self._disk.shutdown()
            self._connection.close()

    async def _begin(self, deadline: float) -> _Group:
        await when_free(deadline, lambda: fetch(self._connection, "BEGIN IMMEDIATE"))
        self._group = group = _Group()
        # It stands in line behind those who wait already: they are of the group.
        group.task = asyncio.create_task(self._commit_in_turn(group))
        return group

    @contextmanager
    def _part(self, group: _Group) -> Iterator[SQLiteTransaction]:
        transaction = SQLiteTransaction(self._connection)
        group.parts += 1
        try:
            fetch(self._connection, "SAVEPOINT part")
            yield transaction
            transaction.require_whole()
            fetch(self._connection, "RELEASE part")
        except BaseException as error:
            self._undo(group, error)
            raise
        finally:
            transaction.end()

    def _undo(self, group: _Group, error: BaseException) -> None:
        """Of one part; when SQLite itself has rolled back everything, or will not undo less, of all."""
        try:
            if self._connection.in_transaction:
                fetch(self._connection, "ROLLBACK TO part")
                fetch(self._connection, "RELEASE part")
                return
        except Exception as broken:
            error = broken
        self._give_up(group, error)

    def _give_up(self, group: _Group, error: BaseException) -> None:
        self._group = None
        group.done.set_result(error)
        if self._connection.in_transaction:
            fetch(self._connection, "ROLLBACK")

    async def _commit_in_turn(self, group: _Group) -> None:
        while not group.done.done():
            # Who ends an event loop cancels all that runs in it, while others of the group may still tidy up.
            with suppress(asyncio.CancelledError):
                async with self._turn:
                    if group is self._group:
                        await self._commit(group)

    async def _commit(self, group: _Group) -> None:
        if group.parts == 1:
            self._settle(group, self._try_to_commit())
            return
        committing = asyncio.get_running_loop().run_in_executor(self._disk, self._try_to_commit)
        try:
            await _over(committing)
        finally:
            self._settle(group, committing.result())

    def _try_to_commit(self) -> Exception | None:
        try:
            fetch(self._connection, "COMMIT")
        except Exception as error:
            return error
        return None

    def _settle(self, group: _Group, error: Exception | None) -> None:
        if error is not None:
            self._give_up(group, error)
        else:
            self._group = None
            group.done.set_result(None)

    def _require_open(self) -> None:
        if self.closed:
            raise unavailable()


class _Group:
    """Transactions that are committed together."""

    def __init__(self) -> None:
        self.done: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()
        """With what went wrong, or None."""
        self.parts = 0
        """How many."""
        self.task: asyncio.Task[None] | None = None
        """Kept, for the event loop does not."""

    async def committed(self) -> None:
        """Returns when it is on the disk. Raises Unavailable if it never will be."""
        error = await asyncio.shield(self.done)
        if error is not None:
            raise unavailable() from (error.__cause__ or error)


class SQLiteTransaction:
    """What one of them does."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lifetime = Lifetime()

    async def fetch(self, sql: str, *args: Value) -> list[Row]:
        with self._lifetime.statement():
            return fetch(self._connection, sql, *args)

    async def fetch_one(self, sql: str, *args: Value) -> Row | None:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def execute(self, sql: str, *args: Value) -> int:
        with self._lifetime.statement():
            return _execute(self._connection, sql, *args)

    def require_whole(self) -> None:
        """Raises RuntimeError if a statement of it failed, whoever caught that."""
        self._lifetime.require()

    def end(self) -> None:
        """It may not be used any more."""
        self._lifetime.end()


async def _over(running: asyncio.Future[Any]) -> None:
    """Waits until it is over; to be cancelled waits as well, for until then nobody else may use the connection."""
    try:
        await asyncio.wait({running})
    finally:
        if not running.done():
            await _over(running)


def now_and_patience() -> float:
    """Until when a call waits for a file that is held, on the monotonic clock."""
    return time.monotonic() + _PATIENCE


async def when_free(deadline: float, call: Callable[[], T]) -> T:
    """Tries until no other program holds the file; raises Held when that takes too long."""
    while True:
        try:
            return call()
        except Held:
            if time.monotonic() >= deadline:
                raise
        await asyncio.sleep(_TRY_EVERY)


def fetch(connection: sqlite3.Connection, sql: str, *args: Value) -> list[Row]:
    """The rows of one statement."""
    return _run(connection, sql, args)[0]


def _execute(connection: sqlite3.Connection, sql: str, *args: Value) -> int:
    before = connection.total_changes
    _, changed = _run(connection, sql, args)
    # sqlite3 counts only statements that begin with the verb: not those that begin with WITH.
    if changed < 0:
        changed = fetch(connection, "SELECT changes()")[0][0] if connection.total_changes > before else 0
    return changed


def _run(connection: sqlite3.Connection, sql: str, args: tuple[Value, ...]) -> tuple[list[Any], int]:
    with translated():
        cursor = connection.execute(sql, {str(number): value for number, value in enumerate(args, 1)})
        return cursor.fetchall(), cursor.rowcount
