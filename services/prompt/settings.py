"""What the prompt service needs to know."""

from __future__ import annotations

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """The settings of every service, and its port."""

    port: int = Field(50051, alias="PROMPT_PORT", ge=0, le=65535)
    """0: a free one."""
