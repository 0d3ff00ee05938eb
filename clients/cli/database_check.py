"""What `studio doctor` finds out about the database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from chassis.database import DatabaseRefused, describe_database
from chassis.database_url import checked, is_exposed
from chassis.errors import Unavailable
from chassis.patience import describe
from clients.cli.findings import Finding

NAME = "database"


def check_database(environ: Mapping[str, str], *, is_production: bool) -> Finding:
    """Knocks at the database that is set; makes nothing there."""
    url = environ.get("DATABASE_URL")
    if not url:
        return Finding(NAME, True, "SQLite, in the data directory")
    try:
        found = asyncio.run(describe_database(checked(url)))
    except ValueError as error:
        return Finding(NAME, False, str(error), "mend DATABASE_URL")
    except DatabaseRefused as error:
        return Finding(NAME, False, str(error).removeprefix("DATABASE_URL: "), "mend DATABASE_URL")
    except Unavailable as error:
        return Finding(NAME, False, f"does not answer ({describe(error)})", "start it, or mend DATABASE_URL")
    if is_production and is_exposed(url):
        return Finding(NAME, False, f"{found}; others on the network may listen", "set sslmode=require or verify-full")
    return Finding(NAME, True, found)
