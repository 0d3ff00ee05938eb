"""What storage talks about: assets, the keys of their bytes, and how storing may fail.

writing ──► stored ──► deleting ──► deleted
   └──────► abandoning ──► abandoned
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from chassis.errors import Internal, NotFound, NotOwner, Unavailable

MAX_BYTES = 25 * 1024 * 1024
"""How big a picture may be."""

PUBLIC, PRIVATE, UPLOADS = "public", "private", "uploads"
SIDES = (PRIVATE, PUBLIC, UPLOADS)
"""What a key begins with. Uploads are private too, and stay where they are."""
KEY = re.compile(rf"({'|'.join(SIDES)})/[a-z0-9][a-z0-9.-]*", re.ASCII)


class State(StrEnum):
    """Where an asset is in its life; only a stored one is visible to anybody."""

    WRITING = "writing"
    """Its key is committed; under it are no bytes, or some, or all."""
    STORED = "stored"
    """All its bytes are on disk."""
    DELETING = "deleting"
    """Its owner deleted it; the bytes may still be there."""
    DELETED = "deleted"
    """The bytes are gone. The row stays, so that work delivered once more does not bring the picture back."""
    ABANDONING = "abandoning"
    """It was never stored and never will be; some bytes may be there."""
    ABANDONED = "abandoned"
    """Never stored, and no bytes are left."""


@dataclass(frozen=True, slots=True)
class Item:
    """Which variation of which job a picture is, and whose."""

    job_id: str
    item: int
    user_id: str
    asset_type: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What was measured on a picture's bytes."""

    sha256: str
    content_type: str
    width: int
    height: int
    file_size: int
    palette_distance: float | None = None
    """How far it is from the brand's colours: whoever made it knows, and its bytes do not tell. None: nobody said."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One picture, as its row has it."""

    id: str
    item: Item
    picture: Picture
    state: State
    key: str
    next_key: str | None
    """Where the bytes are on their way to; None: nowhere."""
    old_key: str | None
    """While writing: where an earlier attempt may have left other bytes; None: nowhere."""
    is_public: bool
    """Whether anybody may see it: false for as long as its bytes are on their way."""
    viral_score: int | None
    created_at: datetime
    """When it was stored; until then, when that began."""

    def require_owner(self, user_id: str | None) -> None:
        """Raises NotOwner unless it is this user's; None stands for a service, which may see everything."""
        if user_id is not None and user_id != self.item.user_id:
            raise NotOwner("this asset belongs to somebody else", metadata={"asset_id": self.id})


@dataclass(frozen=True, slots=True)
class Link:
    """Where bytes can be read."""

    url: str
    expires_at: datetime | None
    """None: it works for as long as the asset is public."""


@dataclass(frozen=True, slots=True)
class LinkedAsset:
    """An asset, and where its bytes can be read."""

    asset: Asset
    url: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which assets a list shows."""

    user_id: str | None
    """None: everybody's."""
    asset_type: str | None
    job_id: str | None
    limit: int
    offset: int


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list."""

    assets: Sequence[LinkedAsset]
    total: int
    """How many match, on all pages."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that are there, whether or not a row knows of them."""

    key: str
    size: int
    written_at: datetime


class ProblemKind(StrEnum):
    """How rows and bytes may disagree."""

    ORPHAN = "orphan"
    """Bytes that no row claims, and that none ever will: keys are committed before bytes are written."""
    LOST = "lost"
    """A stored asset or upload without its bytes."""
    WRONG_SIZE = "wrong_size"
    WRONG_HASH = "wrong_hash"


@dataclass(frozen=True, slots=True)
class Problem:
    """One disagreement."""

    kind: ProblemKind
    key: str
    asset_id: str | None
    """None: no asset has to do with it."""
    size: int | None
    """Bytes that are there; None: there are none."""
    is_repaired: bool = False
    upload_id: str | None = None
    """None: no upload has to do with it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much has been looked at."""

    blobs: int
    assets: int
    uploads: int = 0


@dataclass(frozen=True, slots=True)
class StoreOrder:
    """A render that is to be kept."""

    item: Item
    render_key: str
    sha256: str
    palette_distance: float | None


@dataclass(frozen=True, slots=True)
class StoreFailure:
    """Why a picture will not be there; a new job may succeed."""

    reason: str
    """A value of ErrorReason."""
    message: str
    """For the streamer."""


NOT_SAVED = StoreFailure("STORAGE_ERROR", "Your picture could not be saved. Please try again.")
NOT_USABLE = StoreFailure("INVALID_IMAGE", "The image service sent a picture that cannot be used. Please try again.")


class AssetNotFound(NotFound):
    """There is no such asset, or nobody may see it."""

    reason = "ASSET_NOT_FOUND"

    def __init__(self, asset_id: str) -> None:
        super().__init__(f"asset {asset_id} was not found", metadata={"asset_id": asset_id})


class PictureLost(Internal):
    """The asset is there and its bytes are not: somebody else has taken them away."""

    reason = "STORAGE_ERROR"

    def __init__(self, asset_id: str) -> None:
        super().__init__(f"the bytes of asset {asset_id} are lost", metadata={"asset_id": asset_id})


class PlaceUnusable(Unavailable):
    """The place for bytes cannot be used now; `__cause__` says why, to whoever runs it."""

    def __init__(self) -> None:
        super().__init__("the place for pictures cannot be used right now")


class PlaceUnfit(PlaceUnusable):
    """Nor will it be until somebody mends it."""


class LinkRefused(NotOwner):
    """One answer for every link that opens nothing, so that it tells nobody what exists."""

    def __init__(self) -> None:
        super().__init__("this link is not valid, or it has expired")


class NotAPicture(Exception):
    """These bytes are no picture that we keep; the message says what would be."""


class BytesDamaged(Exception):
    """These bytes are not the ones that were announced."""


class BlobMissing(Exception):
    """There are no bytes under this key."""


def new_key(*, is_public: bool) -> str:
    """A key nobody can guess (128 bits), which says on which side its bytes are."""
    return f"{PUBLIC if is_public else PRIVATE}/{secrets.token_hex(16)}"


def new_upload_key() -> str:
    """As unguessable, for an upload."""
    return f"{UPLOADS}/{secrets.token_hex(16)}"


def is_key(key: str) -> bool:
    """Whether we could have made it."""
    return KEY.fullmatch(key) is not None


def is_public_key(key: str) -> bool:
    """Whether the bytes under a key are on the public side."""
    return key.startswith(f"{PUBLIC}/")
