"""How a session with PostgreSQL begins, through a pooler too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from chassis.database.postgres_errors import Connection, translated
from chassis.database.postgres_refusals import refusing, transaction_pooler

_CONNECT_TIMEOUT = 10.0
_CLOSE_TIMEOUT = 10.0
_LOCK_TIMEOUT = 10.0
"""Seconds for which a migration waits for a lock, whoever holds it; others queue up behind it meanwhile."""
_IDLE_TIMEOUT = 10.0
"""Seconds between two statements of a transaction: in ours nothing else is awaited, so one that takes longer is of a
process that hangs, and others wait for its locks."""
_NETWORK_SLACK = 5.0
"""Seconds we give the network beyond the server's own limit for a statement."""
_LOOKS = 5
"""How often a pooler is looked at: one that hands out another session now and then may have handed out the same."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens the sessions of one service."""

    url: str
    schema: str
    statement_timeout: float
    """Seconds."""

    async def pool(self, size: int) -> asyncpg.Pool[asyncpg.Record]:
        return await asyncpg.create_pool(
            self.url,
            min_size=1,
            max_size=size,
            timeout=_CONNECT_TIMEOUT,
            command_timeout=self.statement_timeout + _NETWORK_SLACK,
            server_settings=self._names(),
            init=self._begin,
            reset=_keep_session,
        )

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """One that is nobody else's, whose statements take as long as they need, but for the locks they want."""
        with translated():
            connection = await asyncpg.connect(self.url, timeout=_CONNECT_TIMEOUT, server_settings=self._names())
        try:
            with translated():
                patience = _milliseconds(min(self.statement_timeout, _LOCK_TIMEOUT))
                await self._begin(connection, statement_timeout="0", lock_timeout=patience)
            yield connection
        finally:
            await connection.close(timeout=_CLOSE_TIMEOUT)

    def _names(self) -> dict[str, str]:
        return {"application_name": self.schema}

    async def _begin(self, connection: Connection, **others: str) -> None:
        # Not parameters of the connection: a pooler refuses most of those, or forgets them.
        settings = {
            "search_path": f'"{self.schema}"',
            "default_transaction_isolation": "'read committed'",
            "statement_timeout": _milliseconds(self.statement_timeout),
            "idle_in_transaction_session_timeout": _milliseconds(min(self.statement_timeout, _IDLE_TIMEOUT)),
            # What a machine that is gone has locked is free again within two minutes, not hours.
            "tcp_keepalives_idle": "60",
            "tcp_keepalives_interval": "10",
            "tcp_keepalives_count": "6",
            **others,
        }
        await connection.execute("; ".join(f"SET {name} TO {value}" for name, value in settings.items()))


async def _keep_session(connection: Connection) -> None:
    """Spares a round trip on each release: nothing here leaves session state behind, and asyncpg has rolled back."""


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))


@asynccontextmanager
async def plain(url: str) -> AsyncIterator[Connection]:
    """One to look around in, with nothing set.

    Raises:
        DatabaseRefused: somebody has to mend something first; also for a pooler that has no sessions.
    """
    with translated(), refusing():
        connection = await asyncpg.connect(url, timeout=_CONNECT_TIMEOUT, statement_cache_size=0)
    try:
        with translated(), refusing():
            yield connection
    finally:
        await connection.close(timeout=_CLOSE_TIMEOUT)


async def require_sessions(connection: Connection, url: str) -> None:
    """Raises DatabaseRefused for a pooler that hands out another session for each transaction.

    What is set in a session, the schema first of all, would then be lost, or somebody else's.
    """
    session = await _pid(connection)
    if session == connection.get_server_pid():
        return  # nobody is in between
    for _ in range(_LOOKS):
        async with plain(url) as other, other.transaction():
            if await _pid(other) == session or await _pid(connection) != session:
                raise transaction_pooler()


async def _pid(connection: Connection) -> int:
    pid: int = await connection.fetchval("SELECT pg_backend_pid()")
    return pid
