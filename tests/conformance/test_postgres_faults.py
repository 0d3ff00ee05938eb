"""What may go wrong in a PostgreSQL that is there: it is said to be unavailable, and used again when it is well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from chassis.database import Database, Transaction, open_database
from chassis.errors import Unavailable
from tests.postgres import PostgresServer, running_postgres, shared_postgres
from tests.queueing import eventually

ADD = "UPDATE counters SET n = n + 1 WHERE id = $1"


async def counters(url: str, schema: str, *, statement_timeout: float = 30) -> Database:
    database = await open_database(url, schema=schema, statement_timeout=statement_timeout)
    await database.execute("CREATE TABLE counters(id TEXT PRIMARY KEY, n BIGINT NOT NULL)")
    await database.execute("INSERT INTO counters(id, n) VALUES ('a', 0), ('b', 0)")
    return database


@pytest.fixture
async def database(postgres_url: str, schema: str) -> AsyncIterator[Database]:
    database = await counters(postgres_url, schema)
    yield database
    await database.close()


async def value(database: Database, counter: str = "a") -> int:
    [row] = await database.fetch("SELECT n FROM counters WHERE id = $1", counter)
    return int(row["n"])


@pytest.mark.parametrize(
    "state",
    [
        "08006",  # connection failure
        "25006",  # read-only transaction
        "25P03",  # idle in transaction for too long
        "25P04",  # transaction for too long
        "40001",  # cannot be serialized
        "40P01",  # deadlock
        "53100",  # disk full
        "53200",  # out of memory
        "53300",  # too many connections
        "55000",  # taking no connections
        "55P03",  # lock not available
        "57014",  # cancelled
        "57P01",  # shutting down
        "57P03",  # starting up
        "58030",  # a fault of the disk
        "XX000",  # a fault of the server, or of a pooler
        "XX001",  # damaged
    ],
)
async def test_what_is_no_fault_of_ours_is_unavailable(database: Database, state: str) -> None:
    with pytest.raises(Unavailable, match=r"^the database is not available$") as caught:
        await database.execute(f"DO $$ BEGIN RAISE EXCEPTION 'hunter2' USING ERRCODE = '{state}'; END $$")

    assert getattr(caught.value.__cause__, "sqlstate", None) == state


@pytest.mark.parametrize("state", ["22001", "23502", "23503", "23514", "42501", "42601", "42703", "42P01", "0A000"])
async def test_what_is_a_fault_of_ours_is_not(database: Database, state: str) -> None:
    with pytest.raises(Exception, match="hunter2") as caught:
        await database.execute(f"DO $$ BEGIN RAISE EXCEPTION 'hunter2' USING ERRCODE = '{state}'; END $$")

    assert not isinstance(caught.value, Unavailable)


async def test_a_transaction_that_is_left_alone_is_ended_and_its_locks_with_it(postgres_url: str, schema: str) -> None:
    database = await counters(postgres_url, schema, statement_timeout=0.3)

    with pytest.raises(Unavailable):
        async with database.transaction() as transaction:
            await transaction.execute(ADD, "a")
            await asyncio.create_task(become_free(database))
            await transaction.execute(ADD, "a")

    assert await value(database) == 1
    await database.close()


async def become_free(database: Database) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await database.execute(ADD, "a")
            except Unavailable:
                continue  # its own time was up first
            return


async def test_a_migration_that_is_left_alone_lets_the_next_one_in(postgres_url: str, schema: str) -> None:
    holder = await counters(postgres_url, schema, statement_timeout=0.3)
    other = await open_database(postgres_url, schema=schema)

    with pytest.raises(Unavailable):
        async with holder.exclusive() as transaction:
            await transaction.execute(ADD, "a")
            async with asyncio.timeout(20):
                await asyncio.create_task(alone(other))
            await transaction.execute(ADD, "a")

    assert await value(other) == 1
    await holder.close()
    await other.close()


async def test_who_waits_long_for_another_migration_is_told_so(postgres_url: str, schema: str) -> None:
    holder = await counters(postgres_url, schema)
    other = await open_database(postgres_url, schema=schema, statement_timeout=0.1)

    async with holder.exclusive() as transaction:
        await transaction.execute(ADD, "a")
        with pytest.raises(Unavailable):
            await asyncio.create_task(alone(other))

    await alone(other)
    assert await value(holder) == 2
    await holder.close()
    await other.close()


async def alone(database: Database) -> None:
    async with database.exclusive() as transaction:
        await transaction.execute(ADD, "a")


async def test_of_two_who_wait_for_each_other_one_hears_unavailable(database: Database) -> None:
    both_hold = asyncio.Barrier(2)

    async def add(first: str, second: str) -> None:
        async with database.transaction() as transaction:
            await transaction.execute("SET LOCAL deadlock_timeout = '20ms'")
            await transaction.execute(ADD, first)
            await both_hold.wait()
            await transaction.execute(ADD, second)

    outcomes = await asyncio.gather(add("a", "b"), add("b", "a"), return_exceptions=True)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "Unavailable"]
    assert (await value(database, "a"), await value(database, "b")) == (1, 1)


async def test_a_connection_that_is_cut_off_ends_its_transaction_alone(database: Database) -> None:
    async def cut(transaction: Transaction) -> None:
        row = await transaction.fetch_one("SELECT pg_backend_pid()")
        assert row is not None
        await asyncio.create_task(database.fetch("SELECT pg_terminate_backend($1)", row[0]))

    with pytest.raises(Unavailable):
        async with database.transaction() as transaction:
            await transaction.execute(ADD, "a")
            await cut(transaction)
            await transaction.execute(ADD, "a")

    assert await value(database) == 0


async def test_a_database_that_is_dropped_is_unavailable() -> None:
    server = shared_postgres()
    url = server.create_database()
    database = await counters(url, "gone")

    server.run_sql(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    for _ in range(2):
        with pytest.raises(Unavailable):
            await database.ping()
    await database.close()


@pytest.fixture
def primary() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def standby(primary: PostgresServer) -> Iterator[PostgresServer]:
    with running_postgres(following=primary) as server:
        yield server


@pytest.fixture
async def cluster(primary: PostgresServer, standby: PostgresServer) -> AsyncIterator[Database]:
    """Both servers; whoever takes writes is written to."""
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    database = await counters(f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write", "studio")
    await eventually(lambda: followed(standby))
    yield database
    await database.close()


async def followed(standby: PostgresServer) -> bool:
    try:
        standby.run_sql("SELECT n FROM studio.counters")
    except asyncpg.PostgresError:
        return False  # not yet
    return True


async def written(database: Database) -> None:
    """Returns when somebody takes writes."""
    async with asyncio.timeout(20):
        while True:
            try:
                await database.execute(ADD, "a")
            except Unavailable:
                await asyncio.sleep(0.02)
            else:
                return


async def test_when_the_standby_takes_over_from_a_server_that_died_it_is_written_to(
    cluster: Database, primary: PostgresServer, standby: PostgresServer
) -> None:
    primary.stop()

    with pytest.raises(Unavailable):
        await cluster.execute(ADD, "a")

    standby.run_sql("SELECT pg_promote()")
    await written(cluster)
    assert await value(cluster) == 1


async def test_when_the_standby_takes_over_from_a_server_that_lives_on_it_is_written_to(
    cluster: Database, primary: PostgresServer, standby: PostgresServer
) -> None:
    primary.run_sql("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    standby.run_sql("SELECT pg_promote()")

    await written(cluster)

    row = await cluster.fetch_one("SELECT current_setting('port')")
    assert row is not None and row[0] == str(standby.port)
