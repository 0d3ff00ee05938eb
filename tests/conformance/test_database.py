"""The dialect both adapters speak: one test for each line of it."""

from __future__ import annotations

import pytest

from chassis.database import Database, Row

CREATE = """
CREATE TABLE things(
    id TEXT PRIMARY KEY,
    owner TEXT,
    size BIGINT NOT NULL DEFAULT 0,
    is_public BOOLEAN NOT NULL DEFAULT FALSE,
    score DOUBLE PRECISION,
    body BYTEA
)"""


@pytest.fixture
async def things(database: Database) -> Database:
    """Three things: two of Ada's, one of Bob's."""
    await database.execute(CREATE)
    await database.execute(
        "INSERT INTO things(id, owner, size) VALUES ('a', 'ada', 1), ('b', 'bob', 2), ('c', 'ada', 3)"
    )
    return database


def ids(rows: list[Row]) -> list[str]:
    return [row["id"] for row in rows]


async def test_a_row_answers_by_name_by_position_by_unpacking_and_as_a_dict(things: Database) -> None:
    row = await things.fetch_one("SELECT id, size FROM things WHERE id = $1", "a")

    assert row is not None
    assert (row["id"], row[1]) == ("a", 1)
    assert tuple(row) == ("a", 1)
    assert dict(row) == {"id": "a", "size": 1}


async def test_what_is_not_there_is_none_or_an_empty_list(things: Database) -> None:
    assert await things.fetch_one("SELECT id FROM things WHERE id = $1", "z") is None
    assert await things.fetch("SELECT id FROM things WHERE id = $1", "z") == []


async def test_a_placeholder_may_be_used_twice_and_in_any_order(things: Database) -> None:
    rows = await things.fetch("SELECT id FROM things WHERE size > $2 AND owner = $1 AND owner <> id || $1", "ada", 1)

    assert ids(rows) == ["c"]


async def test_execute_counts_what_it_inserted_updated_and_deleted(things: Database) -> None:
    assert await things.execute("INSERT INTO things(id) VALUES ($1), ($2)", "d", "e") == 2
    assert await things.execute("UPDATE things SET size = 9 WHERE owner = $1", "ada") == 2
    assert await things.execute("UPDATE things SET size = 9 WHERE owner = $1", "nobody") == 0
    assert await things.execute("DELETE FROM things") == 5
    assert await things.execute("CREATE TABLE others(id TEXT)") == 0


async def test_execute_counts_a_change_that_begins_with_a_cte(things: Database) -> None:
    sql = """
    WITH adas AS (SELECT id FROM things WHERE owner = $1)
    UPDATE things SET size = 0 FROM adas WHERE things.id = adas.id"""

    assert await things.execute(sql, "ada") == 2
    assert await things.execute(sql, "nobody") == 0


async def test_returning_gives_typed_columns(things: Database) -> None:
    async with things.transaction() as transaction:
        row = await transaction.fetch_one(
            "INSERT INTO things(id, is_public) VALUES ($1, $2) RETURNING id, is_public", "d", True
        )
        rows = await transaction.fetch("DELETE FROM things WHERE owner = $1 RETURNING id", "ada")

    assert row is not None
    assert row["is_public"] is True
    assert sorted(ids(rows)) == ["a", "c"]


async def test_on_conflict_do_nothing_changes_nothing(things: Database) -> None:
    changed = await things.execute("INSERT INTO things(id, size) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING", "a", 9)

    assert changed == 0
    assert await things.fetch("SELECT id FROM things WHERE size = 9") == []


async def test_on_conflict_do_update_sees_both_rows(things: Database) -> None:
    sql = (
        "INSERT INTO things(id, size) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET size = things.size + excluded.size"
    )

    changed = await things.execute(sql, "a", 9)

    row = await things.fetch_one("SELECT size FROM things WHERE id = 'a'")
    assert changed == 1
    assert row is not None
    assert row["size"] == 10


async def test_insert_select_on_conflict_takes_a_where(things: Database) -> None:
    sql = """
    INSERT INTO things(id, size) SELECT id, 7 FROM things WHERE TRUE
    ON CONFLICT (id) DO UPDATE SET size = excluded.size"""

    assert await things.execute(sql) == 3


async def test_a_cte_names_a_query(things: Database) -> None:
    sql = "WITH big AS (SELECT id, owner FROM things WHERE size >= $1) SELECT id FROM big WHERE owner = $2 ORDER BY id"

    assert ids(await things.fetch(sql, 2, "ada")) == ["c"]


async def test_a_recursive_cte_counts(things: Database) -> None:
    sql = "WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < 4) SELECT n FROM up ORDER BY n"

    assert [row[0] for row in await things.fetch(sql)] == [1, 2, 3, 4]


async def test_update_from_joins_another_table(things: Database) -> None:
    await things.execute("CREATE TABLE prices(id TEXT PRIMARY KEY, price BIGINT NOT NULL)")
    await things.execute("INSERT INTO prices(id, price) VALUES ('a', 50), ('b', 60)")

    changed = await things.execute("UPDATE things SET size = prices.price FROM prices WHERE prices.id = things.id")

    assert changed == 2
    assert [row[0] for row in await things.fetch("SELECT size FROM things ORDER BY id")] == [50, 60, 3]


async def test_window_functions_number_rows_of_a_partition(things: Database) -> None:
    sql = "SELECT id, ROW_NUMBER() OVER (PARTITION BY owner ORDER BY size DESC) AS place FROM things ORDER BY id"

    assert [(row["id"], row["place"]) for row in await things.fetch(sql)] == [("a", 2), ("b", 1), ("c", 1)]


async def test_a_partial_unique_index_binds_only_its_rows_and_is_a_conflict_target(things: Database) -> None:
    await things.execute("CREATE UNIQUE INDEX one_public ON things(owner) WHERE is_public")
    await things.execute("UPDATE things SET is_public = TRUE WHERE id = 'a'")

    changed = await things.execute(
        "INSERT INTO things(id, owner, is_public) VALUES ('d', 'ada', TRUE), ('e', 'ada', FALSE)"
        " ON CONFLICT (owner) WHERE is_public DO NOTHING"
    )

    assert changed == 1
    assert ids(await things.fetch("SELECT id FROM things WHERE id IN ($1, $2)", "d", "e")) == ["e"]


async def test_cast_changes_the_type(things: Database) -> None:
    row = await things.fetch_one("SELECT CAST(size AS TEXT), CAST(SUM(size) OVER () AS BIGINT) FROM things ORDER BY id")

    assert row is not None
    assert tuple(row) == ("1", 6)
    assert type(row[1]) is int


@pytest.mark.parametrize(("owner", "expected"), [(None, ["a", "b", "c"]), ("bob", ["b"])])
async def test_a_cast_placeholder_may_be_null_to_mean_any(
    things: Database, owner: str | None, expected: list[str]
) -> None:
    sql = "SELECT id FROM things WHERE CAST($1 AS TEXT) IS NULL OR owner = $1 ORDER BY id"

    assert ids(await things.fetch(sql, owner)) == expected


async def test_limit_and_offset_are_placeholders(things: Database) -> None:
    assert ids(await things.fetch("SELECT id FROM things ORDER BY id LIMIT $1 OFFSET $2", 1, 1)) == ["b"]


async def test_a_list_expands_to_in(things: Database) -> None:
    wanted = ["a", "c", "z"]
    marks = ", ".join(f"${number}" for number in range(1, len(wanted) + 1))

    assert ids(await things.fetch(f"SELECT id FROM things WHERE id IN ({marks}) ORDER BY id", *wanted)) == ["a", "c"]


async def test_nulls_go_where_they_are_told(things: Database) -> None:
    await things.execute("UPDATE things SET score = 1.5 WHERE id = 'b'")

    assert ids(await things.fetch("SELECT id FROM things ORDER BY score NULLS LAST, id")) == ["b", "a", "c"]
    assert ids(await things.fetch("SELECT id FROM things ORDER BY score NULLS FIRST, id")) == ["a", "c", "b"]


async def test_an_update_may_take_the_first_rows_of_an_order(things: Database) -> None:
    sql = """
    UPDATE things SET owner = 'eve' WHERE id IN (SELECT id FROM things ORDER BY size DESC, id LIMIT $1)
    RETURNING id"""

    async with things.transaction() as transaction:
        taken = await transaction.fetch(sql, 2)

    assert sorted(ids(taken)) == ["b", "c"]


@pytest.mark.parametrize("value", [True, False])
async def test_a_boolean_comes_back_as_one_and_is_a_condition(things: Database, value: bool) -> None:
    await things.execute("UPDATE things SET is_public = $1 WHERE id = 'a'", value)

    row = await things.fetch_one("SELECT is_public FROM things WHERE id = 'a'")
    found = await things.fetch("SELECT id FROM things WHERE id = 'a' AND is_public")
    compared = await things.fetch("SELECT id FROM things WHERE id = 'a' AND is_public = $1", value)

    assert row is not None
    assert row["is_public"] is value
    assert bool(found) is value
    assert ids(compared) == ["a"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("owner", "Zoë 🎮 名前 ' \" ; -- $1"),
        ("owner", ""),
        ("owner", None),
        ("size", 2**62),
        ("size", -(2**63)),
        ("score", 0.1),
        ("score", -1e300),
        ("score", None),
        ("body", b"\x00\xff'"),
        ("body", b""),
        ("body", None),
    ],
)
async def test_a_value_comes_back_as_it_went_in(
    things: Database, column: str, value: str | int | float | bytes | None
) -> None:
    await things.execute(f"UPDATE things SET {column} = $1 WHERE id = 'a'", value)

    row = await things.fetch_one(f"SELECT {column} FROM things WHERE id = 'a'")

    assert row is not None
    assert row[0] == value
    assert type(row[0]) is type(value)


async def test_a_foreign_key_cascades(things: Database) -> None:
    await things.execute("CREATE TABLE parts(id TEXT, thing_id TEXT NOT NULL REFERENCES things(id) ON DELETE CASCADE)")
    await things.execute("INSERT INTO parts(id, thing_id) VALUES ('p', 'a'), ('q', 'b')")

    assert await things.execute("DELETE FROM things WHERE id = $1", "a") == 1

    assert ids(await things.fetch("SELECT id FROM parts")) == ["q"]
