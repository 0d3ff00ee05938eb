"""What prompt talks about: brand kits, templates, and how they may fail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chassis.errors import FailedPrecondition, FieldViolation, Invalid, NotFound

MAX_BRAND_KITS = 10
"""How many brand kits one user may have."""


class AssetType(StrEnum):
    """What a streamer can ask for."""

    THUMBNAIL = "thumbnail"
    OVERLAY = "overlay"
    BANNER = "banner"
    STORY_GRAPHIC = "story_graphic"
    CLIP_COVER = "clip_cover"


class Tone(StrEnum):
    """How a streamer comes across; the apps know exactly these."""

    COMPETITIVE = "competitive"
    CASUAL = "casual"
    EDUCATIONAL = "educational"
    COMEDIC = "comedic"
    PROFESSIONAL = "professional"


class TemplateNotFound(NotFound):
    """No template of that version for that asset type."""

    reason = "TEMPLATE_NOT_FOUND"

    def __init__(self, asset_type: str, version: str) -> None:
        super().__init__(
            f"there is no template {version} for {asset_type}",
            metadata={"asset_type": asset_type, "version": version},
        )


class BrandKitNotFound(NotFound):
    """No brand kit with that id."""

    reason = "BRAND_KIT_NOT_FOUND"

    def __init__(self, brand_kit_id: str) -> None:
        super().__init__(f"brand kit {brand_kit_id} was not found", metadata={"brand_kit_id": brand_kit_id})


class BrandKitLimitReached(FailedPrecondition):
    """The user has as many brand kits as a user may have."""

    reason = "BRAND_KIT_LIMIT"

    def __init__(self, limit: int = MAX_BRAND_KITS) -> None:
        super().__init__(
            f"you already have {limit} brand kits; delete one to make room", metadata={"limit": str(limit)}
        )


class NoActiveBrandKit(Invalid):
    """A request named no brand kit, and none of the user's is active."""

    def __init__(self) -> None:
        sentence = "choose a brand kit, or make one of yours active"
        super().__init__(sentence, violations=[FieldViolation("brand_kit_id", sentence)])


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """One version of the prompt for one asset type, as its file has it."""

    asset_type: AssetType
    name: str
    version: str
    """As in the file, without the `v` of its name: `1.0`."""
    base_prompt: str
    """Prose with `{placeholder}` or `{placeholder|words for when it is empty}`."""
    quality_modifiers: tuple[str, ...]
    placeholders: tuple[str, ...]
    content_hash: str
    """SHA-256 of the file, in hex: which words exactly made a picture."""


@dataclass(frozen=True, slots=True)
class BrandKitContext:
    """The part of a brand kit that a prompt is made from."""

    primary_colors: tuple[str, ...]
    """One to five `#RRGGBB`, the dominant one first."""
    accent_colors: tuple[str, ...]
    """None to three `#RRGGBB`."""
    headline_font: str
    body_font: str
    tone: Tone
    style_reference: str = ""


@dataclass(frozen=True, slots=True)
class Fonts:
    """The typefaces of a brand, by name."""

    headline: str
    body: str


@dataclass(frozen=True, slots=True)
class BrandKit:
    """How one streamer's pictures look."""

    id: str
    user_id: str
    name: str
    is_active: bool
    """At most one kit of a user is."""
    primary_colors: tuple[str, ...]
    accent_colors: tuple[str, ...]
    fonts: Fonts
    logo_url: str | None
    tone: Tone
    style_reference: str
    extracted_from: str | None
    """Where the kit was read from, when nobody typed it."""
    created_at: datetime
    """UTC, as is `updated_at`."""
    updated_at: datetime

    def context(self) -> BrandKitContext:
        """What the prompt engine needs of it."""
        return BrandKitContext(
            primary_colors=self.primary_colors,
            accent_colors=self.accent_colors,
            headline_font=self.fonts.headline,
            body_font=self.fonts.body,
            tone=self.tone,
            style_reference=self.style_reference,
        )


def normalized(kit: BrandKit) -> BrandKit:
    """The kit as it is stored: colours in upper case, names trimmed.

    Raises:
        Invalid: a name is nothing but spaces.
    """
    headline = _trimmed("fonts.headline", kit.fonts.headline)
    body = _trimmed("fonts.body", kit.fonts.body)
    return replace(
        kit,
        name=_trimmed("name", kit.name),
        primary_colors=_upper(kit.primary_colors),
        accent_colors=_upper(kit.accent_colors),
        fonts=Fonts(headline=headline, body=body),
        style_reference=kit.style_reference.strip(),
    )


def _upper(colors: Iterable[str]) -> tuple[str, ...]:
    return tuple(color.upper() for color in colors)


def _trimmed(field: str, name: str) -> str:
    trimmed = name.strip()
    if not trimmed:
        raise Invalid.field(field, "must hold at least one character that is not a space")
    return trimmed
