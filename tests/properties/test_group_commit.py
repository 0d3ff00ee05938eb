"""Whatever becomes of writers and commits: what was acknowledged is there, what failed is not, and nobody waits on."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.database.sqlite_writer import SQLiteWriter
from tests.flaky_sqlite import WHOLE, FlakyConnection, connect_flaky

INSERT = "INSERT INTO notes VALUES ($1, $2)"
READ = "SELECT DISTINCT writer FROM notes ORDER BY writer"
ROWS = 2

ticks = st.integers(0, 12)


class Refused(Exception):
    """By whoever decides on what was read."""


@dataclass(frozen=True)
class Plan:
    """What one writer does: how many rounds of the event loop it waits before, and between its statements."""

    before: int
    between: int
    ending: str
    cancelled_after: int | None


plans = st.lists(
    st.builds(
        Plan,
        ticks,
        st.integers(0, 3),
        st.sampled_from(["ok", "ok", "ok", "refuse", "twice", "whole", "caught"]),
        st.none() | st.integers(0, 25),
    ),
    min_size=1,
    max_size=8,
)
faults = st.lists(st.sampled_from(["succeeds", "succeeds", "fails", "rolls back"]), max_size=4)
around = st.sampled_from(["COMMIT", "COMMIT", "BEGIN IMMEDIATE", "SAVEPOINT part", "RELEASE part", "ROLLBACK TO part"])
closings = st.none() | st.tuples(st.integers(0, 8), st.none() | st.integers(0, 12))


async def rounds(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def write(writer: SQLiteWriter, number: int, plan: Plan) -> None:
    await rounds(plan.before)
    async with writer.transaction() as transaction:
        for row in range(ROWS):
            await transaction.execute(INSERT, number, row)
            await rounds(plan.between)
        if plan.ending == "refuse":
            raise Refused([row["writer"] for row in await transaction.fetch(READ)])
        if plan.ending == "twice":
            await transaction.execute(INSERT, number, 0)
        if plan.ending == "whole":
            await transaction.execute(WHOLE)
        if plan.ending == "caught":
            try:
                await transaction.execute(WHOLE)
            except Exception:
                await rounds(1)


async def cancel_after(task: asyncio.Task[None], number: int | None) -> None:
    if number is not None:
        await rounds(number)
        task.cancel()


async def close_after(writer: SQLiteWriter, number: int, cancelled_after: int | None) -> None:
    await rounds(number)
    closing_it = asyncio.create_task(writer.close())
    await cancel_after(closing_it, cancelled_after)
    await asyncio.wait({closing_it})


async def let_commit(connection: FlakyConnection, every: int) -> None:
    while True:
        await rounds(every)
        connection.may.release()


async def play(
    connection: FlakyConnection, planned: list[Plan], closes: tuple[int, int | None] | None, every: int
) -> Sequence[object]:
    writer = SQLiteWriter(connection)
    letting = asyncio.create_task(let_commit(connection, every))
    # Before the writers: so it may stand in line before the commit of the first of them.
    others = [] if closes is None else [asyncio.create_task(close_after(writer, *closes))]
    tasks = [asyncio.create_task(write(writer, number, plan)) for number, plan in enumerate(planned)]
    pairs = zip(tasks, planned, strict=True)
    others += [asyncio.create_task(cancel_after(task, plan.cancelled_after)) for task, plan in pairs]
    async with asyncio.timeout(30):
        outcomes = await asyncio.gather(*tasks, *others, return_exceptions=True)
        await writer.close()
    letting.cancel()
    return outcomes[: len(planned)]


@contextmanager
def a_connection(plan: dict[str, list[str]]) -> Iterator[tuple[FlakyConnection, Path]]:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "notes.db"
        with closing(connect_flaky(path, plan)) as connection:
            yield connection, path


def rows_by_writer(path: Path) -> dict[int, int]:
    with closing(sqlite3.connect(path)) as reader:
        return dict(reader.execute("SELECT writer, COUNT(*) FROM notes GROUP BY writer"))


@settings(max_examples=300, deadline=None)
@given(planned=plans, faults=st.dictionaries(around, faults, max_size=2), closes=closings, every=st.integers(1, 12))
def test_what_is_acknowledged_is_there_and_what_failed_is_not(
    planned: list[Plan], faults: dict[str, list[str]], closes: tuple[int, int | None] | None, every: int
) -> None:
    with a_connection(faults) as (connection, path):
        outcomes = asyncio.run(play(connection, planned, closes, every))
        there = rows_by_writer(path)

    for number, (plan, outcome) in enumerate(zip(planned, outcomes, strict=True)):
        rows = there.get(number, 0)
        if outcome is None:
            assert (plan.ending, rows) == ("ok", ROWS)
        elif isinstance(outcome, asyncio.CancelledError):
            assert rows in (0, ROWS) and (rows == 0 or plan.ending == "ok")
        else:
            assert rows == 0
        if isinstance(outcome, Refused):
            # But for its own: what it decided on is there.
            assert set(outcome.args[0]) - {number} <= set(there)


async def hold_the_disk(connection: FlakyConnection) -> None:
    await asyncio.to_thread(connection.waits.wait, 30)


def ok(*, between: int = 1) -> Plan:
    return Plan(before=0, between=between, ending="ok", cancelled_after=None)


async def test_to_cancel_a_close_lets_nobody_write_while_it_commits(tmp_path: Path) -> None:
    connection = connect_flaky(tmp_path / "notes.db", {})
    writer = SQLiteWriter(connection)
    writing = [asyncio.create_task(write(writer, number, ok())) for number in range(3)]
    closing_it = asyncio.create_task(writer.close())
    later = asyncio.create_task(write(writer, 9, Plan(0, 1, "refuse", None)))
    await hold_the_disk(connection)
    closing_it.cancel()
    await rounds(20)
    connection.may.release()
    outcomes = await asyncio.gather(*writing, closing_it, later, return_exceptions=True)
    await writer.close()

    assert outcomes[:3] == [None] * 3
    assert [type(outcome) for outcome in outcomes[3:]] == [asyncio.CancelledError, Refused]
    assert rows_by_writer(tmp_path / "notes.db") == dict.fromkeys(range(3), ROWS)


def test_who_tidies_up_while_the_event_loop_ends_does_not_wait_for_ever(tmp_path: Path) -> None:
    connection = connect_flaky(tmp_path / "notes.db", {})
    tasks: list[asyncio.Task[None]] = []

    async def tidy_up(writer: SQLiteWriter) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            connection.may.release()
            await write(writer, 2, ok())

    async def end_while_it_commits() -> None:
        writer = SQLiteWriter(connection)
        tasks.append(asyncio.create_task(tidy_up(writer)))
        tasks.extend(asyncio.create_task(write(writer, number, ok())) for number in range(2))
        await hold_the_disk(connection)

    asyncio.run(end_while_it_commits())

    assert rows_by_writer(tmp_path / "notes.db") == dict.fromkeys(range(3), ROWS)
    connection.close()
