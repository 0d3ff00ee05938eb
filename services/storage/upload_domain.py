"""What storage says of uploads: pictures that users bring, for others to borrow their style from.

writing ──► stored ──► deleting ──► (no row)
   └───────────────────────┘
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import Exhausted, FailedPrecondition, Internal, NotFound, NotOwner
from services.storage.domain import Picture, State

MAX_UPLOADS = 20
"""How many uploads one user may have."""
MAX_UPLOAD_BYTES = 10 * 1024 * 1024
"""How long a picture may be when it is brought, and when it is kept."""
MAX_UPLOAD_PIXELS = 25_000_000
"""As many as a telephone's camera makes."""
LONGEST_SIDE = 2048
"""Pixels of what is kept: a model that looks for a style sees no more."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One picture that a user brought, as its row has it. Its bytes never move."""

    id: str
    user_id: str
    picture: Picture
    state: State
    """Writing, stored or deleting."""
    key: str
    created_at: datetime

    # What an asset's row says besides, and an upload's never will.
    @property
    def is_public(self) -> bool:
        return False

    @property
    def next_key(self) -> None:
        return None

    @property
    def old_key(self) -> None:
        return None

    def require_owner(self, user_id: str | None) -> None:
        """Raises NotOwner unless it is this user's; None stands for a service, which may see everything."""
        if user_id is not None and user_id != self.user_id:
            raise NotOwner("this upload belongs to somebody else", metadata={"upload_id": self.id})


@dataclass(frozen=True, slots=True)
class LinkedUpload:
    """An upload, and where its bytes can be read."""

    upload: Upload
    url: str


@dataclass(frozen=True, slots=True)
class UploadPage:
    """Part of a list."""

    uploads: Sequence[LinkedUpload]
    total: int
    """How many there are, on all pages."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A picture as it is kept: upright, small enough, and nothing but pixels."""

    data: bytes
    picture: Picture


class UploadNotFound(NotFound):
    """There is no such upload, or no longer."""

    reason = "UPLOAD_NOT_FOUND"

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"upload {upload_id} was not found", metadata={"upload_id": upload_id})


class UploadLimitReached(FailedPrecondition):
    """The user has as many uploads as a user may have."""

    reason = "UPLOAD_LIMIT"

    def __init__(self, limit: int = MAX_UPLOADS) -> None:
        super().__init__(f"you already have {limit} uploads; delete one to make room", metadata={"limit": str(limit)})


class TooManyAtOnce(Exhausted):
    """The user brings more at once than they could keep."""

    reason = "RATE_LIMIT"

    def __init__(self, limit: int = MAX_UPLOADS, seconds: int = 5) -> None:
        super().__init__(
            f"at most {limit} pictures can be on their way at once; try again in a moment",
            retry_after=seconds,
            metadata={"limit": str(limit), "retry_after": str(seconds)},
        )


class UploadTooLarge(Exhausted):
    """It is longer than any upload may be."""

    reason = "REQUEST_TOO_LARGE"

    def __init__(self) -> None:
        super().__init__(f"the picture is over {MAX_UPLOAD_BYTES // 2**20} MiB")


class UploadLost(Internal):
    """The upload is there and its bytes are not: somebody else has taken them away."""

    reason = "STORAGE_ERROR"

    def __init__(self, upload_id: str) -> None:
        super().__init__(f"the bytes of upload {upload_id} are lost", metadata={"upload_id": upload_id})
