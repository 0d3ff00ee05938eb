"""The database of a service, as its wiring asks for it."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack
from pathlib import Path

from chassis.database import Database, migrate, open_database
from chassis.database_url import is_exposed
from chassis.settings import ServiceSettings

log = logging.getLogger(__name__)


async def open_service_database(
    service: str, settings: ServiceSettings, migrations: Path, stack: AsyncExitStack
) -> Database:
    """With every table it needs; the stack closes it. Raises what `open_database` and `migrate` do."""
    url = settings.database(service)
    if settings.environment == "production" and is_exposed(url):
        log.warning("DATABASE_URL: others on the network may listen; set sslmode=require, or better verify-full")
    database = await open_database(
        url,
        # Not the service's own name: `storage` is a schema of Supabase's. Earlier releases took it nevertheless.
        schema=f"studio_{service}",
        former_schema=service,
        pool_size=settings.database_pool_size,
        statement_timeout=settings.database_statement_timeout,
    )
    stack.push_async_callback(database.close)
    applied = await migrate(database, migrations)
    if applied:
        log.info("migrated", extra={"migrations": applied})
    return database
