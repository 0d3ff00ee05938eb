"""No statement of a service reads a large table from end to end, on either database, whatever it is asked.

`pytest -s tests/plans` shows the plan of each, and how much it reads.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from chassis.database import Database, Value, migrate, open_database
from tests.plans.exercises import exercise_assets, exercise_brand_kits, exercise_items, exercise_jobs, exercise_uploads
from tests.plans.filling import fill_generation, fill_prompt, fill_storage
from tests.plans.measuring import Cost, postgres_cost, reading_part, sqlite_cost
from tests.plans.recording import Recording, texts_in

Step = Callable[[Database], Awaitable[None]]
SERVICES = Path(__file__).parents[2] / "services"
SMALL = {"dispatch", "gates"}
"""Tables of some rows, which are read as a whole."""
GROWS = {f"SELECT COUNT(*) AS total FROM {table} WHERE state = 'stored'" for table in ("assets", "uploads")}
"""How many pictures there are in all; only a service may ask."""
MOST_BLOCKS, MOST_STEPS = 400, 100_000
"""Of the thousands that a large table has, and of the millions of steps that it takes to read one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A service's database."""

    service: str
    fill: Step
    exercises: tuple[Step, ...]


SUBJECTS = (
    Subject("prompt", fill_prompt, (exercise_brand_kits,)),
    Subject("generation", fill_generation, (exercise_jobs, exercise_items)),
    Subject("storage", fill_storage, (exercise_assets, exercise_uploads)),
)


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.service)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


async def filled(url: str, schema: str, subject: Subject) -> Recording:
    database = await open_database(url, schema=schema, statement_timeout=100)
    await migrate(database, SERVICES / subject.service / "migrations")
    await subject.fill(database)
    return Recording(database)


async def exercised(recording: Recording, subject: Subject) -> dict[str, tuple[Value, ...]]:
    """Every statement that the service can send."""
    try:
        for exercise in subject.exercises:
            await exercise(recording)
    finally:
        await recording.close()
    forgotten = [
        text
        for text in texts_in(SERVICES / subject.service)
        if not any(re.match(text, sql, re.S) for sql in recording.statements)
    ]
    assert forgotten == [], "tests/plans/exercises.py does not send these"
    parts = {reading_part(sql): args for sql, args in recording.statements.items()}
    return {part: args for part, args in parts.items() if part is not None}


@pytest.mark.timeout(300)
async def test_on_postgresql_each_statement_reads_a_few_blocks(
    postgres_url: str, schema: str, subject: Subject
) -> None:
    recording = await filled(postgres_url, schema, subject)
    await recording.database.execute("VACUUM ANALYZE")
    statements = await exercised(recording, subject)
    connection = await asyncpg.connect(postgres_url, server_settings={"search_path": schema})
    try:
        costs = {
            (sql, mode): await postgres_cost(connection, mode, sql, args)
            for sql, args in statements.items()
            for mode in ("custom", "generic")
        }
    finally:
        await connection.execute(f"DROP SCHEMA {schema} CASCADE")
        await connection.close()

    judge(costs, MOST_BLOCKS)


@pytest.mark.timeout(300)
async def test_on_sqlite_each_statement_takes_few_steps(tmp_path: Path, subject: Subject) -> None:
    file = tmp_path / "filled.db"
    statements = await exercised(await filled(f"sqlite:///{file}", "any", subject), subject)

    costs = {(sql, "sqlite"): sqlite_cost(file, sql, args) for sql, args in statements.items()}

    judge(costs, MOST_STEPS)


def judge(costs: dict[tuple[str, str], Cost], most: int) -> None:
    for (sql, mode), cost in sorted(costs.items(), key=lambda item: -item[1].work):
        print(f"{cost.work:>8} {mode:<8}{' '.join(sql.split())[:90]:<92}{cost.plan}")
    wrong = {
        key: cost
        for key, cost in costs.items()
        if key[0] not in GROWS and (cost.work > most or set(cost.scans) - SMALL)
    }
    assert wrong == {}
