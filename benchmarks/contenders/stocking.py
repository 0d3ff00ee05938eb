"""Puts jobs into databases directly, a hundred thousand at a time; the SQL is what both databases run."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import services.generation.wiring as generation
import services.prompt.wiring as prompt
import services.storage.wiring as storage
from benchmarks.contenders.contender import HOARDER, OTHERS, OWN, READER, WAITING, Stock
from chassis.database import Database, migrate, open_database

BLOCK = 100_000
QUEUER = "queuer"
"""Whose jobs are ready to go."""
KIT = "00000000-0000-4000-9000-000000000000"
"""The queuer's, which all these jobs name."""
YEAR = 365 * 24 * 3600 * 1_000_000
ID = "SUBSTR(CAST(100000000 + n * 7919 % 99999989 AS TEXT), 2) || '-0000-4000-8000-' || SUBSTR(CAST(1000000000000 + n AS TEXT), 2)"  # noqa: E501
NUMBERS = (
    "WITH RECURSIVE numbers(n) AS (SELECT CAST({first} AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
)
Execute = Callable[[str], Awaitable[object]]


async def stock_ours(stock: Stock, directory: Path, url: str | None) -> None:
    """Before the services start, in databases of the directory or in the PostgreSQL at the URL."""
    for service, fill in (("generation", _jobs_and_items), ("storage", _assets), ("prompt", _kits)):
        where = url or f"sqlite:///{directory / service}.db"
        database = await open_database(where, schema=f"studio_{service}")
        try:
            await migrate(database, MIGRATIONS[service])
            await fill(database, stock)
            if url:  # as autovacuum would have, some time ago
                await database.execute("ANALYZE")
        finally:
            await database.close()


MIGRATIONS = {
    "generation": generation.MIGRATIONS,
    "storage": storage.MIGRATIONS,
    "prompt": prompt.MIGRATIONS,
}


async def _jobs_and_items(database: Database, stock: Stock) -> None:
    waiting, now = _waits(stock), int(time.time() * 1e6)
    created = _created(stock, now)
    # Those that only wait are put off, so that nothing happens to them; those in the queue may go at once.
    not_before = f"CASE WHEN n < {stock.jobs} THEN {now + YEAR} ELSE 0 END"
    status = f"CASE WHEN {waiting} THEN 'queued' ELSE 'completed' END"
    await in_blocks(
        database.execute,
        "jobs (id, user_id, brand_kit_id, asset_type, status, progress, count, custom_prompt, template_version, prompt,"
        " has_assets, revision, request_id, start_by, finish_by, created_at, updated_at, completed_at)",
        f"SELECT {ID}, {_user(stock)}, '{KIT}', 'thumbnail', {status}, CASE WHEN {waiting} THEN 0 ELSE 100 END, 1,"
        f" 'Ranked finals tonight', 'v1.0', '', NOT ({waiting}), 5, 'request', {now + YEAR}, {now + YEAR}, {created},"
        f" {created}, CASE WHEN {waiting} THEN NULL ELSE {created} END",
        stock,
    )
    await in_blocks(
        database.execute,
        "items (job_id, item, user_id, state, progress, turn, not_before, dispatch, sent, touched_at, finish_by, seed,"
        " asset_id)",
        f"SELECT {ID}, 0, {_user(stock)}, CASE WHEN {waiting} THEN 'waiting' ELSE 'stored' END, 0, n, {not_before}, 0,"
        f" FALSE, {now}, {now + YEAR}, n, CASE WHEN {waiting} THEN NULL ELSE {ID} END",
        stock,
    )


async def _assets(database: Database, stock: Stock) -> None:
    waiting, now = _waits(stock), int(time.time() * 1e6)
    await in_blocks(
        database.execute,
        "assets (id, job_id, item, user_id, asset_type, state, key, is_public, sha256, content_type, width, height,"
        " file_size, created_at)",
        f"SELECT {ID}, {ID}, 0, {_user(stock)}, 'thumbnail', 'stored', 'private/' || {ID}, FALSE, 'sha', 'image/png',"
        f" 1280, 720, 300000, {_created(stock, now)}",
        stock,
        where=f"NOT ({waiting})",
    )


async def _kits(database: Database, stock: Stock) -> None:
    owner, now = f"'user-' || CAST(n % {OTHERS} AS TEXT)", int(time.time() * 1e6)
    columns = (
        "brand_kits (id, user_id, name, is_active, primary_colors, accent_colors, headline_font, body_font, logo_url,"
        " tone, style_reference, created_at, updated_at)"
    )
    look = f"'#FF0055 #1A0B2E', '#00E5FF', 'Montserrat', 'Inter', '', 'competitive', 'neon lights', {now}, {now}"
    kit = f"SELECT {ID}, {owner}, 'Neon Arena', n < {OTHERS}, {look}"
    await in_blocks(database.execute, columns, kit, Stock(stock.kits))
    await database.execute(f"INSERT INTO {columns} VALUES ('{KIT}', '{QUEUER}', 'Neon Arena', FALSE, {look})")


async def stock_conventional(stock: Stock, execute: Execute) -> None:
    """Into its tables; what waits is in no queue."""
    waiting = _waits(stock)
    created = f"now() - ({stock.jobs + stock.queue} - n) * interval '1 second'"
    await in_blocks(
        execute,
        "jobs (id, user_id, brand_kit_id, asset_type, custom_prompt, status, progress, created_at, updated_at,"
        " completed_at)",
        f"SELECT {ID}, {_user(stock)}, '{KIT}', 'thumbnail', 'Ranked finals tonight', CASE WHEN {waiting} THEN 'queued'"
        f" ELSE 'completed' END, CASE WHEN {waiting} THEN 0 ELSE 100 END, {created}, {created}, CASE WHEN {waiting}"
        f" THEN NULL ELSE {created} END",
        stock,
    )
    await in_blocks(
        execute,
        "assets (id, job_id, user_id, asset_type, key, width, height, file_size, is_public, created_at)",
        f"SELECT {ID}, {ID}, {_user(stock)}, 'thumbnail', 'private/' || {ID}, 1280, 720, 300000, FALSE, {created}",
        stock,
        where=f"NOT ({waiting})",
    )
    await execute("ANALYZE")


async def in_blocks(execute: Execute, columns: str, select: str, stock: Stock, where: str = "TRUE") -> None:
    """Inserts what is selected for each number of a stock."""
    rows = stock.jobs + stock.queue
    for first in range(0, rows, BLOCK):
        numbers = NUMBERS.format(first=first, last=min(rows, first + BLOCK) - 1)
        await execute(f"INSERT INTO {columns} {numbers} {select} FROM numbers WHERE {where}")


def _own(stock: Stock) -> int:
    return min(stock.jobs, OWN)


def _waits(stock: Stock) -> str:
    return f"(n >= {_own(stock) - WAITING} AND n < {_own(stock)} OR n >= {stock.jobs})"


def _user(stock: Stock) -> str:
    others = f"CASE WHEN n % 2 = 0 THEN '{HOARDER}' ELSE 'user-' || CAST(n % {OTHERS} AS TEXT) END"
    return f"CASE WHEN n < {_own(stock)} THEN '{READER}' WHEN n >= {stock.jobs} THEN '{QUEUER}' ELSE {others} END"


def _created(stock: Stock, now: int) -> str:
    return f"{now} - ({stock.jobs + stock.queue} - n) * 1000000"
