"""What goes in and out, as pydantic has it."""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from benchmarks.contenders.conventional.models import Asset, Job
from benchmarks.contenders.conventional.settings import settings

AssetType = Literal["thumbnail", "overlay", "banner", "story_graphic", "clip_cover"]
Status = Literal["queued", "processing", "completed", "failed", "partial"]
Color = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
Font = Annotated[str, Field(min_length=1, max_length=64)]
Seconds = Annotated[datetime, BeforeValidator(lambda time: time.replace(microsecond=0))]
LINK_LIVES = 3600


class Fonts(BaseModel):
    """Of a brand kit."""

    headline: Font
    body: Font


class BrandKitIn(BaseModel):
    """A kit to be made."""

    name: str = Field(min_length=1, max_length=100)
    primary_colors: list[Color] = Field(min_length=1, max_length=5)
    accent_colors: list[Color] = Field(default=[], max_length=3)
    fonts: Fonts
    tone: Literal["competitive", "casual", "educational", "comedic", "professional"] = "professional"


class BrandKitOut(BrandKitIn):
    """A kit that was made."""

    id: str
    user_id: str
    created_at: Seconds
    updated_at: Seconds


class GenerateIn(BaseModel):
    """A job to be made."""

    asset_type: AssetType
    brand_kit_id: UUID
    custom_prompt: str = Field(default="", max_length=500)
    count: int = Field(default=1, ge=1, le=1)


class JobOut(BaseModel):
    """A job."""

    id: str
    user_id: str
    brand_kit_id: str
    asset_type: AssetType
    status: Status
    progress: int
    error_message: str | None = None
    created_at: Seconds
    updated_at: Seconds
    completed_at: Seconds | None = None
    count: int = 1


class AssetOut(BaseModel):
    """A picture and its link."""

    id: str
    job_id: str
    user_id: str
    asset_type: AssetType
    url: str
    width: int
    height: int
    file_size: int
    is_public: bool
    created_at: Seconds


class JobWithAssets(JobOut):
    """A job and its pictures."""

    assets: list[AssetOut] = []


class JobList(BaseModel):
    """A page of jobs."""

    jobs: list[JobOut]
    total: int
    limit: int
    offset: int


def job_out(job: Job) -> JobOut:
    return JobOut.model_validate(job, from_attributes=True)


def with_assets(job: Job, assets: list[Asset]) -> JobWithAssets:
    return JobWithAssets(**job_out(job).model_dump(), assets=[_asset_out(asset) for asset in assets])


def _asset_out(asset: Asset) -> AssetOut:
    fields = {name: getattr(asset, name) for name in AssetOut.model_fields if name != "url"}
    return AssetOut(**fields, url=f"http://127.0.0.1/files/{asset.key}?token={_signed(asset.key)}")


def _signed(key: str) -> str:
    until = int(time.time()) + LINK_LIVES
    secret = settings().files_secret.encode()
    return f"{until}.{hmac.new(secret, f'{key}.{until}'.encode(), hashlib.sha256).hexdigest()}"
