"""From `DATABASE_URL` to a database."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from chassis.database.postgres import open_postgres
from chassis.database.protocol import Database
from chassis.database.sqlite import open_sqlite

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")
_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,62}")


async def open_database(url: str, *, schema: str, pool_size: int = 10, statement_timeout: float = 30.0) -> Database:
    """Opens `sqlite:///absolute/path.db` or `postgresql://…`, making the file or the schema when it is missing.

    A SQLite file is one service's own, so `schema`, `pool_size` and `statement_timeout` (seconds) steer PostgreSQL
    only. Raises ValueError for what cannot be right, Unavailable when nothing answers, and RuntimeError when another
    process has the SQLite file open.
    """
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"schema: {schema!r} is not a lower-case name of at most 63 letters, digits and underscores")
    if url.startswith(_SQLITE):
        return open_sqlite(Path("/" + unquote(url.removeprefix(_SQLITE)).lstrip("/")))
    if url.startswith(_POSTGRES):
        return await open_postgres(url, schema=schema, pool_size=pool_size, statement_timeout=statement_timeout)
    raise ValueError("DATABASE_URL must begin with sqlite:/// or postgresql://")
