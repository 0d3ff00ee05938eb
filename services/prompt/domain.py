"""What prompt talks about: brand kits, templates, and how they may fail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from chassis.errors import FailedPrecondition, FieldViolation, Invalid, NotFound, NotOwner
from services.prompt.style_references import normalized_style, read_style

MAX_BRAND_KITS = 10
"""How many brand kits one user may have."""
LATEST = "latest"
"""The version that stands for the highest one there is."""


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


class NotBrandKitOwner(NotOwner):
    """The brand kit is somebody else's."""

    def __init__(self, brand_kit_id: str) -> None:
        super().__init__("this brand kit belongs to somebody else", metadata={"brand_kit_id": brand_kit_id})


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
        super().__init__(f"brand_kit_id: {sentence}", violations=[FieldViolation("brand_kit_id", sentence)])


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

    @property
    def number(self) -> tuple[int, ...]:
        """The version as what it is ordered by: 1.10 comes after 1.9."""
        return tuple(map(int, self.version.split(".")))


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
    """In words."""
    style_upload_id: str | None = None
    """The upload that the style is borrowed from; never part of a prompt."""

    def colors(self) -> tuple[str, ...]:
        """All of them, the dominant one first."""
        return self.primary_colors + self.accent_colors

    def typed(self) -> tuple[str, ...]:
        """What somebody typed freely, apart from all that has a fixed form."""
        return self.headline_font, self.body_font, self.style_reference


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
    """Words, or an upload and words, as `style_references` reads them."""
    extracted_from: str | None
    """Where the kit was read from, when nobody typed it."""
    created_at: datetime
    """UTC, as is `updated_at`."""
    updated_at: datetime

    def context(self) -> BrandKitContext:
        """What a picture is made from."""
        style = read_style(self.style_reference)
        return BrandKitContext(
            primary_colors=self.primary_colors,
            accent_colors=self.accent_colors,
            headline_font=self.fonts.headline,
            body_font=self.fonts.body,
            tone=self.tone,
            style_reference=style.words,
            style_upload_id=style.upload_id,
        )


@dataclass(frozen=True, slots=True)
class NewBrandKit:
    """What a user says of a kit to be."""

    name: str
    primary_colors: tuple[str, ...]
    accent_colors: tuple[str, ...]
    fonts: Fonts
    logo_url: str | None
    tone: Tone
    style_reference: str


@dataclass(frozen=True, slots=True)
class BrandKitChanges:
    """What an update sets; None leaves a field as it is, an empty value clears it."""

    name: str | None = None
    primary_colors: tuple[str, ...] | None = None
    accent_colors: tuple[str, ...] | None = None
    headline_font: str | None = None
    body_font: str | None = None
    logo_url: str | None = None
    tone: Tone | None = None
    style_reference: str | None = None


Draft = TypeVar("Draft", BrandKit, BrandKitChanges)
Colors = TypeVar("Colors", tuple[str, ...], tuple[str, ...] | None)


def normalized(draft: Draft) -> Draft:
    """As it is stored: colours in upper case, name and style trimmed, the names of fonts as they were given.

    Raises:
        Invalid: the name is nothing but spaces, or the style names an upload and does not.
    """
    return replace(
        draft,
        name=None if draft.name is None else _trimmed(draft.name),
        primary_colors=_upper(draft.primary_colors),
        accent_colors=_upper(draft.accent_colors),
        style_reference=None if draft.style_reference is None else normalized_style(draft.style_reference),
    )


def _upper(colors: Colors) -> Colors:
    return None if colors is None else tuple(color.upper() for color in colors)


def _trimmed(name: str) -> str:
    trimmed = name.strip()
    if not trimmed:
        raise Invalid.field("name", "must hold at least one character that is not a space")
    return trimmed
