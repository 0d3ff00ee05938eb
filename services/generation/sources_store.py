"""The columns of `items` that say what a prompt was written from."""

from __future__ import annotations

from chassis.database import Database, Row, Transaction
from services.generation.domain import NewItem
from services.generation.sources import PromptSource

SOURCES = """
SELECT item, template_version, template_hash FROM items WHERE job_id = $1 AND template_version IS NOT NULL ORDER BY item
"""
SET_SOURCE = "UPDATE items SET template_version = $3, template_hash = $4 WHERE job_id = $1 AND item = $2"


async def sources_of(database: Database, job_id: str) -> dict[int, PromptSource]:
    """By item."""
    rows = await database.fetch(SOURCES, job_id)
    return {row["item"]: PromptSource(row["template_version"], row["template_hash"]) for row in rows}


async def take_over_source(transaction: Transaction, job_id: str, number: int, item: NewItem) -> None:
    """What is known of a picture that an earlier job made."""
    if item.source is not None:
        await transaction.execute(SET_SOURCE, job_id, number, *source_columns(item.source))


def to_source(row: Row) -> PromptSource | None:
    if row["template_version"] is None:
        return None
    return PromptSource(row["template_version"], row["template_hash"])


def source_columns(source: PromptSource | None) -> tuple[str | None, str | None]:
    return (source.template_version, source.template_hash) if source else (None, None)
