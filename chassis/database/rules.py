"""The rules of a transaction that both adapters keep, so that what one forgives the other does not punish."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class OpenTransactions:
    """Knows which tasks are inside a transaction of one database.

    A second connection used from in there would not see the transaction's writes, and would wait for ever for the
    lock, the row or the last free connection that its own task holds.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any] | None] = set()

    def refuse_inside(self) -> None:
        if asyncio.current_task() in self._tasks:
            raise RuntimeError("this task is inside a transaction; use the transaction it was given")

    @contextmanager
    def entered(self) -> Iterator[None]:
        self.refuse_inside()
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)


class Lifetime:
    """Whether a transaction may still be used.

    After a failed statement PostgreSQL answers COMMIT by rolling back without an error, and SQLite would commit the
    rest: neither may happen to somebody who caught the error.
    """

    def __init__(self) -> None:
        self._over: str | None = None

    @contextmanager
    def statement(self) -> Iterator[None]:
        self.require()
        try:
            yield
        except BaseException:
            self._over = "a statement of this transaction failed, so nothing of it can be committed"
            raise

    def require(self) -> None:
        if self._over is not None:
            raise RuntimeError(self._over)

    def end(self) -> None:
        self._over = "this transaction has ended"
