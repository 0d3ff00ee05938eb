"""Assets that nobody is to see, in the database until storage has deleted them."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.database import Database

# In the transaction that ends a job without what was made for it.
DISCARD_STORED = """
INSERT INTO discards (asset_id, job_id)
SELECT asset_id, job_id FROM items WHERE job_id = $1 AND state = 'stored'
ON CONFLICT (asset_id) DO NOTHING
"""
# In the transaction that hears of an asset when its item has failed already.
DISCARD_LATE = """
INSERT INTO discards (asset_id, job_id)
SELECT CAST($3 AS TEXT), job_id FROM items WHERE job_id = $1 AND item = $2 AND state = 'failed'
ON CONFLICT (asset_id) DO NOTHING
"""
NEXT = "SELECT asset_id FROM discards ORDER BY asset_id LIMIT $1"
DONE = "DELETE FROM discards WHERE asset_id = $1"


class DiscardStore:
    """The Discards port over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self, limit: int) -> Sequence[str]:
        """Ids of assets that are to be deleted."""
        return [row["asset_id"] for row in await self._database.fetch(NEXT, limit)]

    async def done(self, asset_id: str) -> None:
        """It is deleted."""
        await self._database.execute(DONE, asset_id)
