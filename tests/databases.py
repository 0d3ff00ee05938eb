"""Which database the services of a test run on: SQLite, and PostgreSQL with `TEST_DATABASE=postgresql`."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from tests.postgres import shared_postgres

KINDS = ("sqlite", "postgresql")
CHOSEN = os.environ.get("TEST_DATABASE") or "sqlite"
if CHOSEN not in KINDS:
    raise ValueError(f"TEST_DATABASE: {CHOSEN} is none of {', '.join(KINDS)}")


def database_settings(data_dir: Path, kind: str = CHOSEN) -> dict[str, str]:
    """What gives the services of a data directory a database: one of their own, the same whenever they start."""
    return {} if kind == "sqlite" else {"DATABASE_URL": _postgres_database(data_dir)}


@cache
def _postgres_database(data_dir: Path) -> str:
    return shared_postgres().create_database()
