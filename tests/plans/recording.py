"""The statements that stores send, and those that stand in their files: each of the latter must be among the former."""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chassis.database import Database, Row, Transaction, Value

STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s")


@dataclass(slots=True)
class Recording:
    """A database that remembers what it was asked, with values of the first time."""

    database: Database
    statements: dict[str, tuple[Value, ...]] = field(default_factory=dict)

    async def fetch(self, sql: str, *args: Value) -> list[Row]:
        self.statements.setdefault(sql, args)
        return await self.database.fetch(sql, *args)

    async def fetch_one(self, sql: str, *args: Value) -> Row | None:
        self.statements.setdefault(sql, args)
        return await self.database.fetch_one(sql, *args)

    async def execute(self, sql: str, *args: Value) -> int:
        self.statements.setdefault(sql, args)
        return await self.database.execute(sql, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self.database.transaction() as transaction:
            yield RecordingTransaction(transaction, self.statements)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[Transaction]:
        async with self.database.exclusive() as transaction:
            yield RecordingTransaction(transaction, self.statements)

    async def has_table(self, name: str) -> bool:
        return await self.database.has_table(name)

    async def ping(self) -> None:
        await self.database.ping()

    async def close(self) -> None:
        await self.database.close()


@dataclass(frozen=True, slots=True)
class RecordingTransaction:
    """What is asked within one."""

    transaction: Transaction
    statements: dict[str, tuple[Value, ...]]

    async def fetch(self, sql: str, *args: Value) -> list[Row]:
        self.statements.setdefault(sql, args)
        return await self.transaction.fetch(sql, *args)

    async def fetch_one(self, sql: str, *args: Value) -> Row | None:
        self.statements.setdefault(sql, args)
        return await self.transaction.fetch_one(sql, *args)

    async def execute(self, sql: str, *args: Value) -> int:
        self.statements.setdefault(sql, args)
        return await self.transaction.execute(sql, *args)


def texts_in(package: Path) -> list[str]:
    """Every SQL text in the files of a service, as a pattern: what is put together at run time may be anything."""
    patterns = []
    for file in sorted(package.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        within = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            text = _text(node)
            if text is not None and id(node) not in within and STATEMENT.match(text):
                patterns.append(".*".join(re.escape(piece) for piece in re.split(r"\{\w*\}", text)))
    return patterns


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None
