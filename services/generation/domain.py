"""What generation talks about: asset types, jobs, and the pictures they are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.generation.sources import PromptSource
from services.generation.states import Failure, JobStatus
from services.generation.styles import StyleImage


class AssetType(StrEnum):
    """What a streamer can ask for."""

    THUMBNAIL = "thumbnail"
    OVERLAY = "overlay"
    BANNER = "banner"
    STORY_GRAPHIC = "story_graphic"
    CLIP_COVER = "clip_cover"


ASSET_DIMENSIONS: dict[AssetType, tuple[int, int]] = {
    AssetType.THUMBNAIL: (1280, 720),
    AssetType.OVERLAY: (1920, 1080),
    AssetType.BANNER: (1200, 480),
    AssetType.STORY_GRAPHIC: (1080, 1920),
    AssetType.CLIP_COVER: (1080, 1080),
}
"""Width and height in pixels, exactly."""


@dataclass(frozen=True, slots=True)
class Render:
    """Where a finished picture waits to be stored."""

    key: str
    sha256: str
    content_type: str
    palette_distance: float | None = None
    """As of the picture."""


OPERATORS = "↻ "
"""What a key begins with that stands for something operators do. Clients cannot send it: their keys are ASCII."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What a client calls a request by: the same one, sent again, is answered again and makes nothing."""

    user_id: str
    key: str
    request_sha256: str
    """Of the request's body, hex."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """A variation that was asked for."""

    seed: int
    render: Render | None = None
    """The picture, when an earlier job made it and could not store it."""
    source: PromptSource | None = None
    """What that picture's prompt was written from."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that was asked for."""

    id: str
    user_id: str
    brand_kit_id: str
    asset_type: AssetType
    items: tuple[NewItem, ...]
    custom_prompt: str
    template_version: str
    """As asked for; empty: the prompt service's default."""
    request_id: str
    created_at: datetime
    start_by: datetime
    """If no variation is on its way by then, the job fails."""
    finish_by: datetime
    """What is not made by then fails."""


@dataclass(frozen=True, slots=True)
class GenerationJob:
    """A job as it stands; the seed's entity, and what became of it."""

    id: str
    user_id: str
    brand_kit_id: str
    asset_type: AssetType
    status: JobStatus
    custom_prompt: str
    template_version: str
    prompt: str
    """Empty until it was built."""
    progress: int
    """0–100; never goes back; 100 exactly when completed or partial."""
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    count: int
    revision: int
    """Grows with every change."""
    failure: Failure | None
    has_assets: bool
    """Whether any variation is stored, so that storage is asked only when it has something."""

    def as_accepted(self) -> GenerationJob:
        """The job as it was when it was accepted."""
        return replace(
            self,
            status=JobStatus.QUEUED,
            prompt="",
            progress=0,
            updated_at=self.created_at,
            completed_at=None,
            revision=1,
            failure=None,
            has_assets=False,
        )

    @property
    def error_message(self) -> str | None:
        """A sentence for a person, exactly when failed or partial."""
        return self.failure.message if self.failure else None


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending of an item on its way."""

    job_id: str
    item: int
    dispatch: int
    """How often it was sent, this time included."""


@dataclass(frozen=True, slots=True)
class Dispatch(Sending):
    """An item the dispatcher sends on its way, with all that its message says."""

    user_id: str
    brand_kit_id: str
    asset_type: AssetType
    custom_prompt: str
    template_version: str
    request_id: str
    finish_by: datetime
    render: Render | None
    """The picture, when it is made already and only has to be stored."""


@dataclass(frozen=True, slots=True)
class Started:
    """An item that a worker may render now."""

    seed: int
    render: Render | None
    """The picture, when an earlier delivery has already made it."""


@dataclass(frozen=True, slots=True)
class FailedItem:
    """A variation that was not made."""

    number: int
    seed: int
    render: Render | None
    """What was made of it all the same, and not stored."""
    source: PromptSource | None = None
    """What its prompt was written from, if one was written."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a user has used since some moment."""

    jobs: int
    active_jobs: int
    billed_calls: int


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call to an image API, as it was written down."""

    item: int
    number: int
    model: str
    state: str
    """`sending`, `paid`, `unpaid` or `unknown`."""
    started_at: datetime
    ended_at: datetime | None

    @property
    def is_billed(self) -> bool:
        """Whether it was, or may have been, billed."""
        return self.state != "unpaid"


@dataclass(frozen=True, slots=True)
class Asset:
    """A finished picture, as storage tells it."""

    id: str
    job_id: str
    user_id: str
    asset_type: str
    url: str
    width: int
    height: int
    file_size: int
    is_public: bool
    viral_score: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class BrandKitContext:
    """The part of a brand kit that a picture is made from."""

    primary_colors: tuple[str, ...]
    """One to five `#RRGGBB`, upper case."""
    accent_colors: tuple[str, ...]
    """None to three `#RRGGBB`, upper case."""
    headline_font: str
    body_font: str
    tone: str
    style_reference: str = ""


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """One picture to be made."""

    job_id: str
    item: int
    """Which variation of the job this is, from 0."""
    asset_type: AssetType
    prompt: str
    """The complete prompt, for a provider that reads."""
    words: str
    """The streamer's own words, sanitised; empty when they typed none."""
    brand_kit: BrandKitContext
    seed: int
    """Same request and same seed: the same picture, as far as the provider can promise it."""
    key_color: str = ""
    """`#RRGGBB`: the flat colour that the prompt asks for where there should be nothing, if it does."""
    style_image: StyleImage | None = None
    """For a provider that sees."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the asset asked for."""
        return ASSET_DIMENSIONS[self.asset_type]


@dataclass(frozen=True, slots=True)
class Picture:
    """Encoded image bytes: as a provider returned them, and not yet trusted, or as they were made of those."""

    data: bytes
    content_type: str
    palette_distance: float | None = None
    """How far it is from the brand's colours; 0 is nearest. None: not measured, or nothing is seen of it."""


class RenderVoid(Exception):
    """The item has ended, or is on another way: whoever renders it may stop, and pays nothing more."""


class RenderDeferred(Exception):
    """Not now: the picture was not paid for, and asking again before `seconds` are over is of no use."""

    def __init__(self, seconds: float, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class CallUnderWay(RenderDeferred):
    """Another worker may be paying for this item at this moment."""


class RenderFailed(Exception):
    """A provider could not make the picture, and says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure
