"""Numbered plain SQL files, applied once and in order.

`001_create_jobs.sql`, `002_…`: a file that was applied anywhere is never edited, renamed or removed; the next change is
the next file. Expand before the new code is deployed, contract after the old code is gone.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from pathlib import Path

from chassis.database.protocol import Database, Row, Transaction

_FILE = re.compile(r"(?P<version>\d{3})_[a-z0-9_]+\.sql")
_PIECE = re.compile(r"""--[^\n]* | /\*.*?\*/ | '(?:[^']|'')*' | "(?:[^"]|"")*" | ; | [^;'"/-]+ | .""", re.X | re.S)

_CREATE = """
CREATE TABLE IF NOT EXISTS schema_migrations(
    version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL
)"""


class MigrationError(Exception):
    """The files and the database do not tell the same history; the message names the file."""


@dataclass(frozen=True, slots=True)
class _Migration:
    version: int
    name: str
    checksum: str
    statements: tuple[str, ...]


async def migrate(database: Database, directory: Path) -> list[str]:
    """Applies what is missing in one transaction and returns the names of it; other replicas wait meanwhile."""
    migrations = _read(directory)
    async with database.exclusive() as transaction:
        await transaction.execute(_CREATE)
        applied = await transaction.fetch("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
        _require_same_history(migrations, applied)
        missing = migrations[len(applied) :]
        for migration in missing:
            await _apply(transaction, migration)
    return [migration.name for migration in missing]


def _read(directory: Path) -> list[_Migration]:
    files = sorted(directory.glob("*.sql"))
    if not files:
        raise MigrationError(f"{directory} holds no migrations")
    return [_parse(file, number) for number, file in enumerate(files, 1)]


def _parse(file: Path, number: int) -> _Migration:
    found = _FILE.fullmatch(file.name)
    if found is None:
        raise MigrationError(f"{file.name}: a migration is named like 001_create_jobs.sql")
    if int(found["version"]) != number:
        raise MigrationError(f"{file.name}: its number should be {number:03}")
    text = file.read_text(encoding="utf-8")
    return _Migration(number, file.stem, hashlib.sha256(text.encode()).hexdigest(), tuple(split_statements(text)))


def split_statements(text: str) -> list[str]:
    """The statements of an SQL text, without comments; a semicolon in a comment or in quotes ends nothing."""
    statements = [""]
    for piece in _PIECE.findall(text):
        if piece == ";":
            statements.append("")
        elif not piece.startswith(("--", "/*")):
            statements[-1] += piece
    return [statement.strip() for statement in statements if statement.strip()]


def _require_same_history(migrations: list[_Migration], applied: list[Row]) -> None:
    for number, row in enumerate(applied, 1):
        version, name, checksum = row
        if version != number:
            raise MigrationError(f"{name}: was applied although {number:03} was not")
        if version > len(migrations):
            raise MigrationError(f"{name}: was applied by newer code; this code has no such file")
        migration = migrations[version - 1]
        if name != migration.name:
            raise MigrationError(f"{migration.name}: was applied as {name}; a migration keeps its name")
        if checksum != migration.checksum:
            raise MigrationError(f"{migration.name}: was edited after it was applied; write a new migration")


async def _apply(transaction: Transaction, migration: _Migration) -> None:
    try:
        for statement in migration.statements:
            await transaction.execute(statement)
    except Exception as exc:
        exc.add_note(f"while applying {migration.name}.sql")
        raise
    await transaction.execute(
        "INSERT INTO schema_migrations(version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
        migration.version,
        migration.name,
        migration.checksum,
        time.time_ns() // 1000,
    )
