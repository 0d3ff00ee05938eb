"""Brand kits in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis.database import Database, Row, Transaction
from chassis.times import from_micros, to_micros
from services.prompt.domain import (
    MAX_BRAND_KITS,
    BrandKit,
    BrandKitChanges,
    BrandKitLimitReached,
    BrandKitNotFound,
    Fonts,
    NotBrandKitOwner,
    Tone,
)

LOCK_OWNER = """
INSERT INTO brand_kit_owners (user_id) VALUES ($1) ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id
"""
COUNT = "SELECT COUNT(*) AS total FROM brand_kits WHERE user_id = $1"
INSERT = """
INSERT INTO brand_kits (id, user_id, name, is_active, primary_colors, accent_colors, headline_font, body_font, logo_url,
                        tone, style_reference, extracted_from, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""
GET = "SELECT * FROM brand_kits WHERE id = $1"
GET_ACTIVE = "SELECT * FROM brand_kits WHERE user_id = $1 AND is_active"
LIST = "SELECT * FROM brand_kits WHERE user_id = $1 ORDER BY created_at DESC, id DESC"
OWNER = "SELECT user_id FROM brand_kits WHERE id = $1"
# One statement, so each of two racing changes keeps what the other set.
CHANGE = """
UPDATE brand_kits SET
  name = COALESCE($3, name),
  primary_colors = COALESCE($4, primary_colors),
  accent_colors = COALESCE($5, accent_colors),
  headline_font = COALESCE($6, headline_font),
  body_font = COALESCE($7, body_font),
  logo_url = COALESCE($8, logo_url),
  tone = COALESCE($9, tone),
  style_reference = COALESCE($10, style_reference),
  updated_at = $11
WHERE id = $2 AND user_id = $1
RETURNING *
"""
DELETE = "DELETE FROM brand_kits WHERE id = $2 AND user_id = $1"
DEACTIVATE = """
UPDATE brand_kits SET is_active = FALSE, updated_at = $3 WHERE user_id = $1 AND is_active AND id <> $2
"""
ACTIVATE = "UPDATE brand_kits SET is_active = TRUE, updated_at = $3 WHERE id = $2 AND user_id = $1 RETURNING *"


class DatabaseBrandKits:
    """The BrandKitStore over either database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, kit: BrandKit) -> None:
        async with self._database.transaction() as transaction:
            await transaction.execute(LOCK_OWNER, kit.user_id)
            count = await transaction.fetch_one(COUNT, kit.user_id)
            if count is not None and count["total"] >= MAX_BRAND_KITS:
                raise BrandKitLimitReached
            await transaction.execute(
                INSERT,
                kit.id,
                kit.user_id,
                kit.name,
                kit.is_active,
                " ".join(kit.primary_colors),
                " ".join(kit.accent_colors),
                kit.fonts.headline,
                kit.fonts.body,
                kit.logo_url or "",
                kit.tone,
                kit.style_reference,
                kit.extracted_from,
                to_micros(kit.created_at),
                to_micros(kit.updated_at),
            )

    async def get(self, brand_kit_id: str) -> BrandKit:
        row = await self._database.fetch_one(GET, brand_kit_id)
        if row is None:
            raise BrandKitNotFound(brand_kit_id)
        return _brand_kit(row)

    async def active(self, user_id: str) -> BrandKit | None:
        row = await self._database.fetch_one(GET_ACTIVE, user_id)
        return None if row is None else _brand_kit(row)

    async def of_user(self, user_id: str) -> Sequence[BrandKit]:
        return [_brand_kit(row) for row in await self._database.fetch(LIST, user_id)]

    async def change(self, user_id: str, brand_kit_id: str, changes: BrandKitChanges, now: datetime) -> BrandKit:
        async with self._database.transaction() as transaction:
            row = await transaction.fetch_one(
                CHANGE,
                user_id,
                brand_kit_id,
                changes.name,
                _joined(changes.primary_colors),
                _joined(changes.accent_colors),
                changes.headline_font,
                changes.body_font,
                changes.logo_url,
                changes.tone,
                changes.style_reference,
                to_micros(now),
            )
            if row is None:
                raise await _refusal(transaction, brand_kit_id)
            return _brand_kit(row)

    async def delete(self, user_id: str, brand_kit_id: str) -> None:
        async with self._database.transaction() as transaction:
            if not await transaction.execute(DELETE, user_id, brand_kit_id):
                raise await _refusal(transaction, brand_kit_id)

    async def activate(self, user_id: str, brand_kit_id: str, now: datetime) -> BrandKit:
        async with self._database.transaction() as transaction:
            await transaction.execute(LOCK_OWNER, user_id)
            await transaction.execute(DEACTIVATE, user_id, brand_kit_id, to_micros(now))
            row = await transaction.fetch_one(ACTIVATE, user_id, brand_kit_id, to_micros(now))
            if row is None:
                raise await _refusal(transaction, brand_kit_id)
            return _brand_kit(row)


async def _refusal(transaction: Transaction, brand_kit_id: str) -> BrandKitNotFound | NotBrandKitOwner:
    """Why a statement that names both a kit and its owner found nothing."""
    if await transaction.fetch_one(OWNER, brand_kit_id) is None:
        return BrandKitNotFound(brand_kit_id)
    return NotBrandKitOwner(brand_kit_id)


def _joined(colors: Sequence[str] | None) -> str | None:
    return None if colors is None else " ".join(colors)


def _brand_kit(row: Row) -> BrandKit:
    return BrandKit(
        id=row["id"],
        user_id=row["user_id"],
        name=row["name"],
        is_active=row["is_active"],
        primary_colors=tuple(row["primary_colors"].split()),
        accent_colors=tuple(row["accent_colors"].split()),
        fonts=Fonts(headline=row["headline_font"], body=row["body_font"]),
        logo_url=row["logo_url"] or None,
        tone=Tone(row["tone"]),
        style_reference=row["style_reference"],
        extracted_from=row["extracted_from"],
        created_at=from_micros(row["created_at"]),
        updated_at=from_micros(row["updated_at"]),
    )
