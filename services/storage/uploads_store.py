"""Uploads in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Database, Row, Transaction
from chassis.times import from_micros, to_micros
from services.storage.domain import Picture, State
from services.storage.upload_domain import MAX_UPLOADS, Upload, UploadLimitReached

LOCK_OWNER = """
INSERT INTO upload_owners (user_id) VALUES ($1) ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id
"""
COUNT = "SELECT COUNT(*) AS total FROM uploads WHERE user_id = $1 AND state <> 'deleting'"
INSERT = """
INSERT INTO uploads (id, user_id, state, key, sha256, content_type, width, height, file_size, created_at)
VALUES ($1, $2, 'writing', $3, $4, $5, $6, $7, $8, $9)
"""
MARK_STORED = "UPDATE uploads SET state = 'stored' WHERE id = $1 AND state = 'writing'"
BEGIN_REMOVAL = "UPDATE uploads SET state = 'deleting' WHERE id = $1 AND state IN ('writing', 'stored')"
FINISH_REMOVAL = "DELETE FROM uploads WHERE id = $1 AND state = 'deleting'"
GET = "SELECT * FROM uploads WHERE id = $1"
OF_KEY = "SELECT * FROM uploads WHERE key = $1 AND state = 'stored'"
PAGE = """
SELECT * FROM uploads WHERE user_id = $1 AND state = 'stored' ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3
"""
TOTAL = "SELECT COUNT(*) AS total FROM uploads WHERE user_id = $1 AND state = 'stored'"
PAGE_OF_ALL = "SELECT * FROM uploads WHERE state = 'stored' ORDER BY created_at DESC, id DESC LIMIT $1 OFFSET $2"
TOTAL_OF_ALL = "SELECT COUNT(*) AS total FROM uploads WHERE state = 'stored'"
# The first condition is the partial index's own, word for word: SQLite uses the index only then.
UNFINISHED = """
SELECT * FROM uploads WHERE state IN ('writing', 'deleting') AND (state = 'deleting' OR created_at < $1)
ORDER BY created_at
"""
STORED_BETWEEN = "SELECT * FROM uploads WHERE state = 'stored' AND key > $1 AND key <= $2 ORDER BY key LIMIT $3"
CLAIMING = "SELECT * FROM uploads WHERE key IN ({keys})"
KEYS_AT_ONCE = 250


class DatabaseUploads:
    """The UploadStore over either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, upload: Upload) -> None:
        picture = upload.picture
        async with self._database.transaction() as transaction:
            await transaction.execute(LOCK_OWNER, upload.user_id)
            await _require_room(transaction, upload.user_id)
            await transaction.execute(
                INSERT,
                upload.id,
                upload.user_id,
                upload.key,
                picture.sha256,
                picture.content_type,
                picture.width,
                picture.height,
                picture.file_size,
                to_micros(upload.created_at),
            )

    async def require_room(self, user_id: str) -> None:
        await _require_room(self._database, user_id)

    async def mark_stored(self, upload_id: str) -> bool:
        return await self._database.execute(MARK_STORED, upload_id) == 1

    async def begin_removal(self, upload_id: str) -> bool:
        return await self._database.execute(BEGIN_REMOVAL, upload_id) == 1

    async def finish_removal(self, upload_id: str) -> None:
        await self._database.execute(FINISH_REMOVAL, upload_id)

    async def get(self, upload_id: str) -> Upload | None:
        return _upload_or_none(await self._database.fetch_one(GET, upload_id))

    async def of_key(self, key: str) -> Upload | None:
        return _upload_or_none(await self._database.fetch_one(OF_KEY, key))

    async def of_user(self, user_id: str | None, limit: int, offset: int) -> tuple[Sequence[Upload], int]:
        whose = () if user_id is None else (user_id,)
        page, total = (PAGE_OF_ALL, TOTAL_OF_ALL) if user_id is None else (PAGE, TOTAL)
        rows = await self._database.fetch(page, *whose, limit, offset)
        count = await self._database.fetch_one(total, *whose)
        return [_upload(row) for row in rows], count["total"] if count else 0

    async def unfinished(self, begun_before: datetime) -> Sequence[Upload]:
        return [_upload(row) for row in await self._database.fetch(UNFINISHED, to_micros(begun_before))]

    async def claiming(self, keys: Sequence[str]) -> Sequence[Upload]:
        rows: list[Row] = []
        for some in (keys[start : start + KEYS_AT_ONCE] for start in range(0, len(keys), KEYS_AT_ONCE)):
            places = ", ".join(f"${place}" for place in range(1, len(some) + 1))
            rows += await self._database.fetch(CLAIMING.format(keys=places), *some)
        return [_upload(row) for row in rows]

    async def stored_between(self, after: str, upto: str, limit: int) -> Sequence[Upload]:
        return [_upload(row) for row in await self._database.fetch(STORED_BETWEEN, after, upto, limit)]


async def _require_room(reader: Database | Transaction, user_id: str) -> None:
    count = await reader.fetch_one(COUNT, user_id)
    if count is not None and count["total"] >= MAX_UPLOADS:
        raise UploadLimitReached


def _upload_or_none(row: Row | None) -> Upload | None:
    return None if row is None else _upload(row)


def _upload(row: Row) -> Upload:
    return Upload(
        id=row["id"],
        user_id=row["user_id"],
        picture=Picture(row["sha256"], row["content_type"], row["width"], row["height"], row["file_size"]),
        state=State(row["state"]),
        key=row["key"],
        created_at=from_micros(row["created_at"]),
    )
