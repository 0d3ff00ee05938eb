"""What the prompt service needs to know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from chassis.settings import ServiceSettings
from chassis.targets import grpc_target

Target = Annotated[str, AfterValidator(grpc_target)]


class Settings(ServiceSettings):
    """The settings of every service, and its port."""

    port: int = Field(50051, alias="PROMPT_PORT", ge=0, le=65535)
    """0: a free one."""
    storage_address: Target = Field("127.0.0.1:50053", alias="STORAGE_ADDRESS", validate_default=True)
    """Where the storage service answers, as host:port; of several replicas all, with commas between."""
    templates_dir: Path | None = Field(None, alias="TEMPLATES_DIR")
    """`<asset_type>/v<version>.yaml` for every asset type; absent: the templates we ship."""
    templates_reload: bool = Field(False, alias="TEMPLATES_RELOAD")
    """Whether templates are read again when their files change; for whoever writes one."""
