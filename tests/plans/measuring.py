"""What a statement costs in a database: its plan, and how much it reads. Nothing of it stays."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from chassis.database import Value

STEPS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one statement."""

    plan: str
    """Shortened: how each table is read."""
    work: int
    """Blocks read on PostgreSQL, steps of its machine on SQLite."""
    scans: tuple[str, ...]
    """Tables that are read from end to end."""


def reading_part(sql: str) -> str | None:
    """What of a statement can be played again: all of it, or what is read to insert it; None when nothing is."""
    if not sql.lstrip().startswith("INSERT"):
        return sql
    _, select, read = sql.partition("\nSELECT ")
    return f"{select}{read.partition('ON CONFLICT')[0]}" if select else None


async def postgres_cost(connection: asyncpg.Connection[Any], mode: str, sql: str, args: Sequence[Value]) -> Cost:
    """As the server does it when it plans for these values (`custom`) or for any (`generic`)."""
    await connection.execute(f"SET plan_cache_mode = force_{mode}_plan")
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"PREPARE it AS {sql}")
        values = f"({', '.join(_literal(value) for value in args)})" if args else ""
        rows = await connection.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE it{values}")
    finally:
        await transaction.rollback()
        await connection.execute("DEALLOCATE it")
    [explained] = json.loads(rows[0][0])
    nodes = list(_nodes(explained["Plan"]))
    return Cost(
        plan=", ".join(_shortened(node) for node in nodes if "Relation Name" in node or "Index Name" in node),
        work=explained["Plan"]["Shared Hit Blocks"] + explained["Plan"]["Shared Read Blocks"],
        scans=tuple(node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"),
    )


def sqlite_cost(file: Path, sql: str, args: Sequence[Value]) -> Cost:
    """As the service's own connection does it."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += STEPS_AT_ONCE

    named = {str(number): value for number, value in enumerate(args, 1)}
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", named)]
        connection.execute("BEGIN")
        connection.set_progress_handler(count, STEPS_AT_ONCE)
        connection.execute(sql, named).fetchall()
        connection.set_progress_handler(None, 0)
        connection.execute("ROLLBACK")
    scanned = [line.split()[1] for line in plan if line.startswith("SCAN ") and " USING " not in line]
    return Cost(", ".join(plan), steps, tuple(name for name in scanned if name in tables))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _shortened(node: dict[str, Any]) -> str:
    what = node.get("Index Name") or node["Relation Name"]
    return f"{node['Node Type']} {what}"


def _literal(value: Value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    assert isinstance(value, int | float), value
    return str(value)
