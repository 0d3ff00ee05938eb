"""Whatever is done to both databases, both give the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from chassis.database import Database, Transaction, UniqueViolation, Value, open_database

CREATE = """
CREATE TABLE rows(
    id TEXT PRIMARY KEY, name TEXT UNIQUE, n BIGINT NOT NULL, flag BOOLEAN NOT NULL, score DOUBLE PRECISION
)"""
INSERT = "INSERT INTO rows(id, name, n, flag, score) VALUES ($1, $2, $3, $4, $5)"
UPSERT = INSERT + " ON CONFLICT (id) DO UPDATE SET n = rows.n + 1, flag = excluded.flag"
INSERT_NEW = INSERT + " ON CONFLICT DO NOTHING"
RAISE = "UPDATE rows SET n = n + 1 WHERE n >= $1 AND (CAST($2 AS TEXT) IS NULL OR name = $2)"
TAKE = "DELETE FROM rows WHERE id IN (SELECT id FROM rows ORDER BY n, id LIMIT $1) RETURNING id, name, n, flag, score"
READ = "SELECT id, name, n, flag, score, ROW_NUMBER() OVER (ORDER BY n DESC, id) FROM rows ORDER BY id"

Work: TypeAlias = Callable[[Database], Awaitable[Any]]
Change: TypeAlias = tuple[str, tuple[Value, ...]]

ids = st.sampled_from("abcdef")
numbers = st.integers(-(2**40), 2**40)
names = (
    st.none()
    | st.sampled_from(["", "x", "Zoë"])
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
)
floats = st.none() | st.floats(allow_nan=False)
rows = st.tuples(ids, names, numbers, st.booleans(), floats)
changes = st.one_of(
    st.tuples(st.sampled_from([INSERT, UPSERT, INSERT_NEW]), rows),
    st.tuples(st.just(RAISE), st.tuples(numbers, names)),
)


class Abandoned(Exception):
    """Ends a transaction that is to leave nothing behind."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One database of each adapter, and the loop they live on."""

    runner: asyncio.Runner
    databases: tuple[Database, Database]

    def both(self, work: Work) -> tuple[Any, Any]:
        first, second = (self.runner.run(outcome(work(database))) for database in self.databases)
        return first, second


async def outcome(work: Awaitable[Any]) -> Any:
    try:
        return await work
    except UniqueViolation as exc:
        return ("not unique", exc.table)
    except Abandoned:
        return "abandoned"


async def apply(transaction: Transaction, planned: list[Change]) -> list[int]:
    return [await transaction.execute(sql, *args) for sql, args in planned]


class Agreement(RuleBasedStateMachine):
    """Starts from an empty table each time."""

    pair: Pair

    def __init__(self) -> None:
        super().__init__()
        self.pair.both(lambda database: database.execute("DELETE FROM rows"))

    def agree(self, work: Work) -> None:
        first, second = self.pair.both(work)
        assert first == second

    @rule(change=changes)
    def change(self, change: Change) -> None:
        sql, args = change
        self.agree(lambda database: database.execute(sql, *args))

    @rule(planned=st.lists(changes, max_size=4), is_kept=st.booleans())
    def change_together(self, planned: list[Change], is_kept: bool) -> None:
        async def work(database: Database) -> list[int]:
            async with database.transaction() as transaction:
                counts = await apply(transaction, planned)
                if not is_kept:
                    raise Abandoned
            return counts

        self.agree(work)

    @rule(limit=st.integers(0, 3))
    def take(self, limit: int) -> None:
        async def work(database: Database) -> list[tuple[Any, ...]]:
            async with database.transaction() as transaction:
                return sorted(tuple(row) for row in await transaction.fetch(TAKE, limit))

        self.agree(work)

    @invariant()
    def hold_the_same(self) -> None:
        async def work(database: Database) -> list[tuple[tuple[type, Any], ...]]:
            return [tuple((type(value), value) for value in row) for row in await database.fetch(READ)]

        self.agree(work)


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str, schema: str) -> Iterator[Pair]:
    with asyncio.Runner() as runner:
        sqlite = runner.run(open_database(f"sqlite://{tmp_path}/pair.db", schema=schema))
        postgres = runner.run(open_database(postgres_url, schema=schema))
        pair = Pair(runner, (sqlite, postgres))
        pair.both(lambda database: database.execute(CREATE))
        yield pair
        pair.both(lambda database: database.close())


def test_both_databases_agree(pair: Pair) -> None:
    class AgreementOfPair(Agreement):
        def __init__(self) -> None:
            self.pair = pair
            super().__init__()

    run_state_machine_as_test(
        AgreementOfPair, settings=settings(max_examples=30, stateful_step_count=20, deadline=None)
    )
