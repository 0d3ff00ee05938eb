"""What the API answers with, as far as the command reads it."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

TERMINAL = ("completed", "partial", "failed")
"""Statuses a job stays in."""


class Asset(TypedDict):
    """One finished picture."""

    id: str
    job_id: str
    asset_type: str
    url: str
    width: int
    height: int
    file_size: int
    is_public: bool
    created_at: str


class Job(TypedDict):
    """A job; asked for by its id it brings its assets."""

    id: str
    asset_type: str
    status: str
    progress: int
    count: int
    created_at: str
    error_message: NotRequired[str]
    assets: NotRequired[list[Asset]]


class JobEvent(TypedDict):
    """One event of a job's stream."""

    event_id: str
    type: str
    message: NotRequired[str]
    job: NotRequired[Job]


class Fonts(TypedDict):
    """A kit's two fonts."""

    headline: str
    body: str


class BrandKit(TypedDict):
    """A streamer's colours, fonts and tone."""

    id: str
    name: str
    is_active: bool
    primary_colors: list[str]
    accent_colors: list[str]
    fonts: Fonts
    tone: str
    style_reference: str
    logo_url: NotRequired[str]


class JobList(TypedDict):
    """A page of jobs."""

    jobs: list[Job]
    total: int


class AssetList(TypedDict):
    """A page of assets."""

    assets: list[Asset]
    total: int


class Upload(TypedDict):
    """A picture that was brought."""

    id: str
    content_type: str
    width: int
    height: int
    file_size: int
    url: str
    created_at: str


class UploadList(TypedDict):
    """A page of uploads."""

    uploads: list[Upload]
    total: int


class DeadLetter(TypedDict):
    """A message that was put aside; gRPC's JSON writes its sequence as a string."""

    sequence: str
    reason: str
    consumer: str
    subject: str
    deliveries: int
    buried_at: str
    work: NotRequired[dict[str, Any]]


class DeadLetterList(TypedDict):
    """A page of dead letters."""

    dead_letters: list[DeadLetter]
    total: int


class DeadLetterDetails(TypedDict):
    """A dead letter, and the message in it."""

    dead_letter: DeadLetter
    headers: dict[str, str]
    message: NotRequired[dict[str, Any]]
    data: str


class BrandKitList(TypedDict):
    """All kits of a user."""

    brand_kits: list[BrandKit]
    total: int
    active_id: NotRequired[str]


class StorageProblem(TypedDict):
    """One disagreement between assets or uploads and kept bytes."""

    kind: str
    key: str
    asset_id: NotRequired[str]
    upload_id: NotRequired[str]
    size: NotRequired[str]
    """Bytes that are there, as JSON has large numbers."""
    repaired: bool


class StorageProgress(TypedDict):
    """How much has been looked at."""

    blobs: int
    assets: int
    uploads: int


class StorageNews(TypedDict):
    """One of the two."""

    problem: NotRequired[StorageProblem]
    progress: NotRequired[StorageProgress]
