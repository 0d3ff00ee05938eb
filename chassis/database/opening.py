"""From `DATABASE_URL` to a database."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from chassis.database.postgres import describe_postgres, open_postgres
from chassis.database.protocol import Database, DatabaseRefused
from chassis.database.sqlite import open_sqlite
from chassis.database_url import SQLITE, checked

POOL_SIZE = 5
STATEMENT_TIMEOUT = 30.0
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,62}")


async def open_database(
    url: str,
    *,
    schema: str,
    former_schema: str | None = None,
    pool_size: int = POOL_SIZE,
    statement_timeout: float = STATEMENT_TIMEOUT,
) -> Database:
    """Opens `sqlite:///absolute/path.db` or `postgresql://…`, making the file or the schema when it is missing.

    A SQLite file is one service's own, so all but the address steers PostgreSQL only: the schema, and the name it had
    in an earlier release, which it keeps; how many connections there are at most; and seconds for a statement.

    Raises:
        DatabaseRefused: somebody has to mend something first, or end another process that has the SQLite file open.
        Unavailable: nothing answers.
    """
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"schema: {schema!r} is not a lower-case name of at most 63 letters, digits and underscores")
    try:
        checked(url)
    except ValueError as exc:
        raise DatabaseRefused(f"DATABASE_URL: {exc}") from exc
    if url.startswith(SQLITE):
        return open_sqlite(Path("/" + unquote(url.removeprefix(f"{SQLITE}:")).lstrip("/")))
    return await open_postgres(
        url, schema=schema, former_schema=former_schema, pool_size=pool_size, statement_timeout=statement_timeout
    )


async def describe_database(url: str) -> str:
    """What is there, for a person; raises as `open_database`, and makes nothing."""
    return "SQLite" if url.startswith(SQLITE) else await describe_postgres(url)
