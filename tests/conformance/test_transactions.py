"""What a transaction keeps and what it does not, with others around."""

from __future__ import annotations

import asyncio

import pytest

from chassis.database import Database, Transaction, UniqueViolation

INSERT = "INSERT INTO notes(id) VALUES ($1)"


class Boom(Exception):
    """What goes wrong in the middle of a transaction."""


@pytest.fixture
async def notes(database: Database) -> Database:
    await database.execute("CREATE TABLE notes(id TEXT PRIMARY KEY, n BIGINT NOT NULL DEFAULT 0)")
    return database


async def stored(database: Database) -> list[str]:
    return [row["id"] for row in await database.fetch("SELECT id FROM notes ORDER BY id")]


async def insert_and_wait(database: Database, inside: asyncio.Event, leave: asyncio.Event) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(INSERT, "waiting")
        inside.set()
        await leave.wait()


async def test_what_a_transaction_did_is_there_when_its_block_ends(notes: Database) -> None:
    async with notes.transaction() as transaction:
        await transaction.execute(INSERT, "a")
        await transaction.execute(INSERT, "b")

    assert await stored(notes) == ["a", "b"]


async def test_a_transaction_sees_what_it_wrote(notes: Database) -> None:
    async with notes.transaction() as transaction:
        await transaction.execute(INSERT, "a")

        assert await transaction.fetch_one("SELECT id FROM notes WHERE id = $1", "a") is not None


async def test_an_exception_rolls_everything_back(notes: Database) -> None:
    with pytest.raises(Boom):
        async with notes.transaction() as transaction:
            await transaction.execute(INSERT, "a")
            raise Boom

    assert await stored(notes) == []


async def test_nobody_sees_what_is_not_committed(notes: Database) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()
    writer = asyncio.create_task(insert_and_wait(notes, inside, leave))
    await inside.wait()

    seen = await stored(notes)
    leave.set()
    await writer

    assert seen == []
    assert await stored(notes) == ["waiting"]


async def test_a_rollback_takes_nothing_of_somebody_elses(notes: Database) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()
    loser = asyncio.create_task(insert_and_wait(notes, inside, leave))
    await inside.wait()
    winner = asyncio.create_task(notes.execute(INSERT, "kept"))

    await asyncio.wait({winner}, timeout=0.02)
    loser.cancel()
    await asyncio.wait({loser, winner})

    assert loser.cancelled()
    assert winner.result() == 1
    assert await stored(notes) == ["kept"]


async def test_a_cancelled_transaction_leaves_nothing_and_its_connection_is_usable(notes: Database) -> None:
    for _ in range(12):  # more often than the pool has connections
        inside = asyncio.Event()
        writer = asyncio.create_task(insert_and_wait(notes, inside, asyncio.Event()))
        await inside.wait()
        writer.cancel()
        await asyncio.wait({writer})

    await notes.execute(INSERT, "after")

    assert await stored(notes) == ["after"]


async def test_who_is_cancelled_while_waiting_for_another_writer_holds_nothing(notes: Database) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()
    holder = asyncio.create_task(insert_and_wait(notes, inside, leave))
    await inside.wait()
    waiters = [asyncio.create_task(notes.execute(INSERT, "waiting")) for _ in range(3)]

    done, _ = await asyncio.wait(waiters, timeout=0.05)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.wait(waiters)
    leave.set()
    await holder

    assert not done
    assert all(waiter.cancelled() for waiter in waiters)
    await notes.execute(INSERT, "after")
    assert await stored(notes) == ["after", "waiting"]


async def test_concurrent_writers_lose_no_update(notes: Database) -> None:
    await notes.execute(INSERT, "counter")

    async def count() -> None:
        async with notes.transaction() as transaction:
            await transaction.execute("UPDATE notes SET n = n WHERE id = 'counter'")
            row = await transaction.fetch_one("SELECT n FROM notes WHERE id = 'counter'")
            assert row is not None
            await transaction.execute("UPDATE notes SET n = $1 WHERE id = 'counter'", row["n"] + 1)

    await asyncio.gather(*(count() for _ in range(20)))

    counter = await notes.fetch_one("SELECT n FROM notes WHERE id = 'counter'")
    assert counter is not None
    assert counter["n"] == 20


async def test_of_many_who_claim_a_row_one_gets_it(notes: Database) -> None:
    claims = await asyncio.gather(
        *(notes.execute("INSERT INTO notes(id, n) VALUES ('one', $1) ON CONFLICT DO NOTHING", n) for n in range(20))
    )

    assert sum(claims) == 1


async def test_a_failed_statement_ends_the_transaction_also_when_it_is_caught(notes: Database) -> None:
    await notes.execute(INSERT, "taken")

    with pytest.raises(RuntimeError, match="nothing of it can be committed"):
        async with notes.transaction() as transaction:
            await transaction.execute(INSERT, "a")
            with pytest.raises(UniqueViolation):
                await transaction.execute(INSERT, "taken")

    assert await stored(notes) == ["taken"]


async def test_a_failed_transaction_refuses_further_statements(notes: Database) -> None:
    await notes.execute(INSERT, "taken")

    with pytest.raises(RuntimeError, match="nothing of it can be committed"):
        async with notes.transaction() as transaction:
            with pytest.raises(UniqueViolation):
                await transaction.execute(INSERT, "taken")
            await transaction.execute(INSERT, "b")

    assert await stored(notes) == ["taken"]


@pytest.mark.parametrize("fails", [False, True])
async def test_a_transaction_that_has_ended_refuses_statements(notes: Database, fails: bool) -> None:
    kept: list[Transaction] = []
    try:
        async with notes.transaction() as transaction:
            kept.append(transaction)
            if fails:
                raise Boom
    except Boom:
        pass

    with pytest.raises(RuntimeError, match="has ended"):
        await kept[0].execute(INSERT, "late")

    assert await stored(notes) == []


@pytest.mark.timeout(10)
async def test_a_transaction_inside_another_is_refused_at_once(notes: Database) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        async with notes.transaction(), notes.transaction():
            pass

    await notes.execute(INSERT, "after")
    assert await stored(notes) == ["after"]


@pytest.mark.timeout(10)
@pytest.mark.parametrize("method", ["fetch", "fetch_one", "execute"])
async def test_the_database_itself_is_refused_inside_a_transaction(notes: Database, method: str) -> None:
    with pytest.raises(RuntimeError, match="inside a transaction"):
        async with notes.transaction():
            await getattr(notes, method)("SELECT 1")


async def test_transactions_follow_each_other_in_one_task(notes: Database) -> None:
    for name in ("a", "b"):
        async with notes.transaction() as transaction:
            await transaction.execute(INSERT, name)

    assert await stored(notes) == ["a", "b"]


async def test_exclusive_transactions_wait_for_each_other(notes: Database) -> None:
    inside, leave = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with notes.exclusive():
            inside.set()
            await leave.wait()

    async def follow() -> None:
        async with notes.exclusive() as transaction:
            await transaction.execute(INSERT, "second")

    first = asyncio.create_task(hold())
    await inside.wait()
    second = asyncio.create_task(follow())
    done, _ = await asyncio.wait({second}, timeout=0.05)
    leave.set()
    await asyncio.gather(first, second)

    assert not done
    assert await stored(notes) == ["second"]
