"""Numbered plain SQL files, applied once and in order.

`001_create_jobs.sql`, `002_…`: a file that was applied anywhere is never edited, renamed or removed; the next change is
the next file. Expand before the new code is deployed, contract after the old code is gone: a file that takes something
away is named like `009_contract_007_drop_prompt.sql`, which says that code that has 007 does without it. ADR-14.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path

from chassis.database.protocol import Database, Row, Transaction

log = logging.getLogger(__name__)

_FILE = re.compile(r"(?P<version>\d{3})_[a-z0-9_]+\.sql")
_CONTRACTS = re.compile(r"\d{3}_contract_(?P<since>\d{3})_")
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
    """Applies what is missing in one transaction and returns the names of it; other replicas wait meanwhile.

    A database that is ahead of the code is left as it is: code is rolled back, and replicas of two releases run side by
    side. When nothing is missing nothing is locked, and no right to create is needed.

    Raises:
        MigrationError: the files and the database do not tell the same history, or this code is too old.
    """
    migrations = _read(directory)
    is_new = not await database.has_table("schema_migrations")
    if not is_new and not _missing(migrations, await _applied(database)):
        return []
    async with database.exclusive() as transaction:
        await transaction.execute(_CREATE)
        missing = _missing(migrations, await _applied(transaction))
        for migration in missing:
            await _apply(transaction, migration)
    return [migration.name for migration in missing]


async def _applied(database: Database | Transaction) -> list[Row]:
    return await database.fetch("SELECT version, name, checksum FROM schema_migrations ORDER BY version")


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
    contracts = _CONTRACTS.match(file.name)
    if contracts is not None and not 0 < int(contracts["since"]) < number:
        raise MigrationError(f"{file.name}: what it takes away is not done without since {contracts['since']}")
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


def _missing(migrations: list[_Migration], applied: list[Row]) -> list[_Migration]:
    for number, (version, name, _) in enumerate(applied, 1):
        if version != number:
            raise MigrationError(f"{name}: was applied although {number:03} was not")
    for migration, row in zip(migrations, applied, strict=False):
        _require_same(migration, row)
    _require_recent_enough(len(migrations), [row["name"] for row in applied[len(migrations) :]])
    return migrations[len(applied) :]


def _require_same(migration: _Migration, row: Row) -> None:
    if row["name"] != migration.name:
        raise MigrationError(f"{migration.name}: was applied as {row['name']}; a migration keeps its name")
    if row["checksum"] != migration.checksum:
        raise MigrationError(f"{migration.name}: was edited after it was applied; write a new migration")


def _require_recent_enough(last: int, newer: list[str]) -> None:
    for name in newer:
        contracts = _CONTRACTS.match(name)
        if contracts is not None and int(contracts["since"]) > last:
            raise MigrationError(f"{name}: took away what this code needs; deploy code that has {contracts['since']}")
    if newer:
        log.warning("the database is ahead of this code", extra={"unknown": newer})


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
