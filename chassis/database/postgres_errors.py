"""What asyncpg raises, in the words of the protocol."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from chassis.database.protocol import UniqueViolation, unavailable

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"

_UNAVAILABLE = (
    OSError,  # also TimeoutError
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,  # as the one before: the database that was there when we started
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,  # shutting down, starting, statement timeout
    asyncpg.TransactionRollbackError,  # deadlock
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # locked, in use, not taking connections
    asyncpg.ReadOnlySQLTransactionError,  # a failover is going on
    asyncpg.InvalidCachedStatementError,  # another replica migrated the schema just now
    asyncpg.PostgresSystemError,  # its disk
    asyncpg.InternalServerError,  # also what Supabase's pooler says when it has no connection left
    # The server has said goodbye and the connection is not closed yet; or of several none is the one to write to.
    asyncpg.InternalClientError,
)


def talking_over(connection: Connection) -> AbstractContextManager[None]:
    return translated(lambda: is_closed(connection))


def is_closed(connection: Connection) -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        # A pool takes its connection back the moment it breaks, and then even this cannot be asked.
        return True


@contextmanager
def translated(is_gone: Callable[[], bool] = lambda: False) -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as exc:
        raise _unique_violation(exc) from exc
    except _UNAVAILABLE as exc:
        raise unavailable() from exc
    except asyncpg.InterfaceError as exc:
        # What asyncpg says when it is misused, and also when the connection is no more.
        if is_gone():
            raise unavailable() from exc
        raise


def _unique_violation(exc: asyncpg.UniqueViolationError) -> UniqueViolation:
    """Reads `Key (user_id, name)=(…) already exists.`, of which only the brackets are the same in every language."""
    found = re.match(r"[^(]*\(([\w, ]+)\)=\(", exc.detail or "")
    return UniqueViolation(exc.table_name or "", tuple(found[1].split(", ")) if found else ())
