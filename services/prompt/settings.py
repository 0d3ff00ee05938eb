"""What the prompt service needs to know."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings of every service, and its port."""

    port: int = Field(50051, alias="PROMPT_PORT", ge=0, le=65535)
    """0: a free one."""
    templates_dir: Path | None = Field(None, alias="TEMPLATES_DIR")
    """`<asset_type>/v<version>.yaml` for every asset type; absent: the templates we ship."""
    templates_reload: bool = Field(False, alias="TEMPLATES_RELOAD")
    """Whether templates are read again when their files change; for whoever writes one."""
