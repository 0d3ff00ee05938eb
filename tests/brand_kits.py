"""Brand kits for tests, as domain values."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from services.prompt.domain import BrandKit, Fonts, Tone
from services.prompt.style_references import UploadUnusable

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class NoUploads:
    """Nobody has brought any picture."""

    async def require(self, upload_id: str, token: str) -> None:
        raise UploadUnusable


def a_user() -> str:
    """Nobody else's: tests may share a database."""
    return f"user|{uuid.uuid4()}"


def a_brand_kit(**given: Any) -> BrandKit:
    """A kit of a user of its own, but for what is given."""
    kit = BrandKit(
        id=str(uuid.uuid4()),
        user_id=a_user(),
        name="Gaming Stream Kit",
        is_active=False,
        primary_colors=("#FF0055", "#1A1A2E"),
        accent_colors=("#00E5FF",),
        fonts=Fonts(headline="Montserrat", body="Inter"),
        logo_url="https://example.com/logo.png",
        tone=Tone.COMPETITIVE,
        style_reference="90s anime",
        extracted_from=None,
        created_at=NOON,
        updated_at=NOON,
    )
    return replace(kit, **given)
