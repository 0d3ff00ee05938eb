"""What storage needs to know."""

from __future__ import annotations

import re
from typing import Literal

import jwt
from pydantic import Field, SecretStr, ValidationInfo, field_validator

from chassis.renders import RendersKind
from chassis.settings import HttpAddress, Secret, ServiceSettings


class Settings(ServiceSettings):
    """Read once at start."""

    port: int = Field(50053, alias="STORAGE_PORT", ge=0, le=65535)
    """0: a free one."""
    storage: Literal["local", "supabase"] = Field("local", alias="STUDIO_STORAGE")
    """Where the bytes are: `local` is a directory in the data directory."""
    supabase_url: HttpAddress | None = Field(None, alias="SUPABASE_URL", validate_default=True)
    """Of the project, without a path."""
    supabase_service_key: SecretStr | None = Field(None, alias="SUPABASE_SERVICE_KEY", validate_default=True)
    """A secret key (`sb_secret_…`), or the older service_role token (`eyJ…`)."""
    files_secret: Secret = Field(alias="FILES_SECRET")
    """Key of the signed links; with another one, every link given out is dead."""
    public_url: HttpAddress = Field(alias="STUDIO_PUBLIC_URL")
    """Where apps reach the gateway: what links begin with."""
    signed_url_ttl: int = Field(3600, alias="SIGNED_URL_TTL", ge=1, le=86400)
    """Seconds a signed link works unless its caller says otherwise."""
    renders: RendersKind = Field("files", alias="STUDIO_RENDERS")
    """Where pictures wait to be stored: `files` on one machine, `object_store` on several."""

    @field_validator("supabase_url", "supabase_service_key")
    @classmethod
    def _needed(cls, value: object, others: ValidationInfo) -> object:
        if value is None and others.data.get("storage") == "supabase":
            raise ValueError("must be set when STUDIO_STORAGE is supabase")
        return value

    @field_validator("supabase_service_key")
    @classmethod
    def _of_the_service(cls, key: SecretStr | None) -> SecretStr | None:
        # With a key for apps, everything that is there looks as if it were not.
        if key is not None and not is_service_key(key.get_secret_value()):
            raise ValueError("must be a secret key (sb_secret_…) or a service_role token (eyJ…), and not one for apps")
        return key


def is_service_key(key: str) -> bool:
    """Whether a key of a Supabase project opens everything, as far as can be seen by looking at it."""
    if key.startswith("sb_secret_"):
        return re.fullmatch(r"[!-~]+", key) is not None
    try:
        return bool(jwt.decode(key, options={"verify_signature": False}).get("role") == "service_role")
    except jwt.PyJWTError:
        return False
