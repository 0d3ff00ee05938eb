"""What storage needs to know."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chassis.renders import RendersKind
from chassis.settings import HttpAddress, Secret, ServiceSettings


class Settings(ServiceSettings):
    """Read once at start."""

    port: int = Field(50053, alias="STORAGE_PORT", ge=0, le=65535)
    """0: a free one."""
    storage: Literal["local"] = Field("local", alias="STUDIO_STORAGE")
    """Where the bytes are: `local` is a directory in the data directory."""
    files_secret: Secret = Field(alias="FILES_SECRET")
    """Key of the signed links; with another one, every link given out is dead."""
    public_url: HttpAddress = Field(alias="STUDIO_PUBLIC_URL")
    """Where apps reach the gateway: what links begin with."""
    signed_url_ttl: int = Field(3600, alias="SIGNED_URL_TTL", ge=1, le=86400)
    """Seconds a signed link works unless its caller says otherwise."""
    renders: RendersKind = Field("files", alias="STUDIO_RENDERS")
    """Where pictures wait to be stored: `files` on one machine, `object_store` on several."""
