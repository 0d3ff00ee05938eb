"""What generation needs to know."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chassis.renders import RendersKind
from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read once at start."""

    port: int = Field(50052, alias="GENERATION_PORT", ge=0, le=65535)
    """0: a free one."""
    prompt_address: str = Field("127.0.0.1:50051", alias="PROMPT_ADDRESS")
    """Where the prompt service answers, as host:port."""
    storage_address: str = Field("127.0.0.1:50053", alias="STORAGE_ADDRESS")
    """Where the storage service answers, as host:port."""
    provider: Literal["sketch"] = Field("sketch", alias="STUDIO_PROVIDER")
    """Who makes the pictures."""
    renders: RendersKind = Field("files", alias="STUDIO_RENDERS")
    """Where pictures wait to be stored: `files` on one machine, `object_store` on several."""
    render_window: int = Field(64, alias="RENDER_WINDOW", ge=1, le=10_000)
    """How many items may be on their way at once, over all replicas."""
    render_concurrency: int = Field(4, alias="RENDER_CONCURRENCY", ge=1, le=256)
    """How many pictures this process makes at once."""
    start_by: int = Field(600, alias="START_BY", ge=1)
    """Seconds a job may wait for its first turn."""
    finish_by: int = Field(3600, alias="FINISH_BY", ge=1, le=80_000)
    """Seconds a job may take in all; shorter than renders are kept."""
