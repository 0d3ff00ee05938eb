"""Assets in the database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from chassis.database import Database, Row, Value
from chassis.times import from_micros, to_micros
from services.storage.domain import Asset, Filter, Item, Picture, State, is_public_key

INSERT = """
INSERT INTO assets (id, job_id, item, user_id, asset_type, state, key, is_public,
                    sha256, content_type, width, height, file_size, palette_distance, created_at)
VALUES ($1, $2, $3, $4, $5, 'writing', $6, FALSE, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (job_id, item) DO NOTHING
RETURNING *
"""
BEGIN_AGAIN = """
UPDATE assets SET key = $3, old_key = key, sha256 = $4, content_type = $5, width = $6, height = $7, file_size = $8,
       palette_distance = $9
WHERE id = $1 AND state = 'writing' AND key = $2 AND old_key IS NULL
"""
FORGET_OLD_KEY = "UPDATE assets SET old_key = NULL WHERE id = $1 AND state = 'writing' AND old_key = $2"
MARK_STORED = """
UPDATE assets SET state = 'stored', created_at = $3 WHERE id = $1 AND state = 'writing' AND key = $2 RETURNING *
"""
ABANDON = "UPDATE assets SET state = 'abandoning' WHERE job_id = $1 AND item = $2 AND state = 'writing'"
BEGIN_REMOVAL = """
UPDATE assets SET state = 'deleting', is_public = FALSE WHERE id = $1 AND state = 'stored' RETURNING *
"""
FINISH_DELETING = (
    "UPDATE assets SET state = 'deleted', next_key = NULL, user_id = '' WHERE id = $1 AND state = 'deleting'"
)
FINISH_ABANDONING = "UPDATE assets SET state = 'abandoned', old_key = NULL WHERE id = $1 AND state = 'abandoning'"
BEGIN_MOVE = """
UPDATE assets SET next_key = $3, is_public = FALSE WHERE id = $1 AND state = 'stored' AND key = $2 AND next_key IS NULL
"""
FINISH_MOVE = """
UPDATE assets SET key = next_key, next_key = NULL, is_public = $3 WHERE id = $1 AND state = 'stored' AND next_key = $2
"""
GET = "SELECT * FROM assets WHERE id = $1"
OF_ITEM = "SELECT * FROM assets WHERE job_id = $1 AND item = $2"
OF_KEY = "SELECT * FROM assets WHERE key = $1 AND state = 'stored'"
# The first condition is the partial index's own, word for word: SQLite uses the index only then.
UNFINISHED = """
SELECT * FROM assets
WHERE (next_key IS NOT NULL OR state IN ('writing', 'deleting', 'abandoning'))
  AND (state <> 'writing' OR created_at < $1)
ORDER BY created_at
"""
STORED_BETWEEN = """
SELECT * FROM assets WHERE state = 'stored' AND key > $1 AND key <= $2 ORDER BY key LIMIT $3
"""
# In three parts, each of which finds the index of its column.
CLAIMING = """
SELECT * FROM assets WHERE state NOT IN ('deleted', 'abandoned') AND key IN ({keys})
UNION
SELECT * FROM assets WHERE state NOT IN ('deleted', 'abandoned') AND next_key IN ({keys})
UNION
SELECT * FROM assets WHERE state NOT IN ('deleted', 'abandoned') AND old_key IN ({keys})
"""
KEYS_AT_ONCE = 250


class DatabaseAssets:
    """The AssetStore over either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, item: Item, picture: Picture, key: str, now: datetime) -> Asset:
        async with self._database.transaction() as transaction:
            row = await transaction.fetch_one(
                INSERT,
                # Not derived from job and item: who knows those must not be able to compute a shared link.
                str(uuid.uuid4()),
                item.job_id,
                item.item,
                item.user_id,
                item.asset_type,
                key,
                *_measured(picture),
                to_micros(now),
            ) or await transaction.fetch_one(OF_ITEM, item.job_id, item.item)
        assert row is not None, "rows are never deleted"
        return _asset(row)

    async def begin_again(self, asset: Asset, picture: Picture, key: str) -> Asset:
        return await self._attempt(asset, BEGIN_AGAIN, asset.key, key, *_measured(picture))

    async def forget_old_key(self, asset: Asset) -> Asset:
        return await self._attempt(asset, FORGET_OLD_KEY, asset.old_key)

    async def mark_stored(self, asset: Asset, now: datetime) -> Asset | None:
        return await self._change(MARK_STORED, asset.id, asset.key, to_micros(now))

    async def abandon(self, job_id: str, item: int) -> Asset | None:
        async with self._database.transaction() as transaction:
            await transaction.execute(ABANDON, job_id, item)
            return _asset_or_none(await transaction.fetch_one(OF_ITEM, job_id, item))

    async def begin_removal(self, asset_id: str) -> Asset | None:
        return await self._change(BEGIN_REMOVAL, asset_id)

    async def finish_removal(self, asset: Asset) -> None:
        finish = FINISH_DELETING if asset.state is State.DELETING else FINISH_ABANDONING
        await self._database.execute(finish, asset.id)

    async def begin_move(self, asset: Asset, next_key: str) -> bool:
        return await self._database.execute(BEGIN_MOVE, asset.id, asset.key, next_key) == 1

    async def finish_move(self, asset: Asset) -> None:
        assert asset.next_key is not None
        await self._database.execute(FINISH_MOVE, asset.id, asset.next_key, is_public_key(asset.next_key))

    async def get(self, asset_id: str) -> Asset | None:
        return _asset_or_none(await self._database.fetch_one(GET, asset_id))

    async def of_item(self, job_id: str, item: int) -> Asset | None:
        return _asset_or_none(await self._database.fetch_one(OF_ITEM, job_id, item))

    async def of_key(self, key: str) -> Asset | None:
        return _asset_or_none(await self._database.fetch_one(OF_KEY, key))

    async def matching(self, wanted: Filter) -> tuple[Sequence[Asset], int]:
        where, args = _where(wanted)
        limit, offset = f"${len(args) + 1}", f"${len(args) + 2}"
        rows = await self._database.fetch(
            f"SELECT * FROM assets {where} ORDER BY created_at DESC, id DESC LIMIT {limit} OFFSET {offset}",
            *args,
            wanted.limit,
            wanted.offset,
        )
        return [_asset(row) for row in rows], await self._total(wanted, where, args, len(rows))

    async def _total(self, wanted: Filter, where: str, args: Sequence[Value], found: int) -> int:
        """Counted only when the page does not show it: it does when something is on it and it is not full."""
        if found < wanted.limit and (found or not wanted.offset):
            return wanted.offset + found
        count = await self._database.fetch_one(f"SELECT COUNT(*) AS total FROM assets {where}", *args)
        return count["total"] if count else 0

    async def unfinished(self, abandoned_before: datetime) -> Sequence[Asset]:
        return [_asset(row) for row in await self._database.fetch(UNFINISHED, to_micros(abandoned_before))]

    async def claiming(self, keys: Sequence[str]) -> Sequence[Asset]:
        rows: list[Row] = []
        for some in (keys[start : start + KEYS_AT_ONCE] for start in range(0, len(keys), KEYS_AT_ONCE)):
            places = ", ".join(f"${place}" for place in range(1, len(some) + 1))
            rows += await self._database.fetch(CLAIMING.format(keys=places), *some)
        return [_asset(row) for row in rows]

    async def stored_between(self, after: str, upto: str, limit: int) -> Sequence[Asset]:
        return [_asset(row) for row in await self._database.fetch(STORED_BETWEEN, after, upto, limit)]

    async def _attempt(self, asset: Asset, sql: str, *args: Value) -> Asset:
        async with self._database.transaction() as transaction:
            await transaction.execute(sql, asset.id, *args)
            row = await transaction.fetch_one(GET, asset.id)
        assert row is not None, "rows are never deleted"
        return _asset(row)

    async def _change(self, sql: str, *args: Value) -> Asset | None:
        async with self._database.transaction() as transaction:
            return _asset_or_none(await transaction.fetch_one(sql, *args))


def _where(wanted: Filter) -> tuple[str, list[Value]]:
    """Only what is asked for is named, so that each question finds its index."""
    conditions, args = ["state = 'stored'"], list[Value]()
    for column, value in (
        ("user_id", wanted.user_id),
        ("asset_type", wanted.asset_type),
        ("job_id", wanted.job_id),
    ):
        if value is not None:
            args.append(value)
            conditions.append(f"{column} = ${len(args)}")
    return f"WHERE {' AND '.join(conditions)}", args


def _measured(picture: Picture) -> tuple[Value, ...]:
    measured = picture.sha256, picture.content_type, picture.width, picture.height, picture.file_size
    return *measured, picture.palette_distance


def _picture(row: Row) -> Picture:
    measured = row["sha256"], row["content_type"], row["width"], row["height"], row["file_size"]
    return Picture(*measured, palette_distance=row["palette_distance"])


def _asset_or_none(row: Row | None) -> Asset | None:
    return None if row is None else _asset(row)


def _asset(row: Row) -> Asset:
    return Asset(
        id=row["id"],
        item=Item(row["job_id"], row["item"], row["user_id"], row["asset_type"]),
        picture=_picture(row),
        state=State(row["state"]),
        key=row["key"],
        next_key=row["next_key"],
        old_key=row["old_key"],
        is_public=row["is_public"],
        viral_score=row["viral_score"],
        created_at=from_micros(row["created_at"]),
    )
