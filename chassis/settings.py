"""Settings come from environment variables, are read once at start, and all bad ones are reported at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from chassis.database_url import checked

S = TypeVar("S", bound="Settings")

Port = Annotated[int, Field(ge=1, le=65535)]


class SettingsError(Exception):
    """The environment is not one to start in; the message has a line for each bad variable and shows no value."""


class Settings(BaseModel):
    """A frozen set of settings; each field's alias is the name of its environment variable."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, hide_input_in_errors=True)


def _long_enough(secret: SecretStr) -> SecretStr:
    # RFC 7518, 3.2: an HS256 key has at least as many bits as the hash.
    if len(secret.get_secret_value().encode()) < 32:
        raise ValueError("must have at least 32 bytes")
    return secret


def _http_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an http or https address")
    return url


NOTICE = 2.0
"""Seconds of notice that suit a gateway which looks each second."""


def _notice(earlier: dict[str, Any]) -> float:
    """On a laptop there is no other replica to go to."""
    return NOTICE if earlier.get("environment") == "production" else 0.0


Secret = Annotated[SecretStr, AfterValidator(_long_enough)]
HttpAddress = Annotated[str, AfterValidator(_http_address)]
DatabaseAddress = Annotated[str, AfterValidator(checked)]


class ServiceSettings(Settings):
    """What every service needs to know."""

    environment: Literal["local", "production"] = Field("local", alias="STUDIO_ENV")
    """`local` is a laptop; in `production` a missing secret refuses to start."""
    data_dir: Path = Field(Path(".data"), alias="STUDIO_DATA_DIR")
    """Where everything embedded lives: SQLite, NATS, pictures."""
    listen_host: str = Field("127.0.0.1", alias="LISTEN_HOST")
    """The address to listen on; `0.0.0.0` in a container, where loopback is nobody's."""
    database_url: DatabaseAddress | None = Field(None, alias="DATABASE_URL", repr=False)
    """`postgresql://…`; absent: SQLite in the data directory, one file a service."""
    database_pool_size: int = Field(5, alias="DATABASE_POOL_SIZE", ge=1, le=500)
    """Connections that a process has to PostgreSQL at most; three services fill the least pooler of Supabase, 15."""
    database_statement_timeout: float = Field(30.0, alias="DATABASE_STATEMENT_TIMEOUT", ge=1, le=3600)
    """Seconds that PostgreSQL lets a statement take, and lets a transaction be left alone."""
    nats_url: str = Field(alias="NATS_URL", repr=False)
    """With credentials, when the server wants any."""
    nats_replicas: int = Field(1, alias="NATS_REPLICAS", ge=1, le=5)
    """How many servers of a cluster keep each message."""
    jwt_secret: Secret | None = Field(None, alias="JWT_SECRET")
    """Key of the apps' HS256 tokens."""
    jwt_jwks_url: HttpAddress | None = Field(None, alias="JWT_JWKS_URL", validate_default=True)
    """Where the public keys of ES256 and RS256 tokens are."""
    jwt_issuer: str | None = Field(None, alias="JWT_ISSUER")
    """Checked when set."""
    jwt_audience: str | None = Field(None, alias="JWT_AUDIENCE")
    """Checked when set."""
    service_jwt_secret: Secret = Field(alias="SERVICE_JWT_SECRET")
    """Key of internal callers' tokens."""
    stop_notice: float = Field(default_factory=_notice, alias="STOP_NOTICE", ge=0, le=5)
    """Seconds between saying that we stop and refusing calls, so that whoever calls can go to another replica."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", alias="LOG_LEVEL")

    @field_validator("jwt_jwks_url")
    @classmethod
    def _somebody_can_call(cls, url: str | None, others: ValidationInfo) -> str | None:
        if url is None and others.data.get("jwt_secret", "bad") is None:
            raise ValueError("must be set when JWT_SECRET is not, or no user can call")
        return url

    @field_validator("service_jwt_secret")
    @classmethod
    def _not_the_users(cls, secret: SecretStr, others: ValidationInfo) -> SecretStr:
        # Whoever can sign a user's token could otherwise sign a service's.
        if secret == others.data.get("jwt_secret"):
            raise ValueError("must not be JWT_SECRET again")
        return secret

    def database(self, service: str) -> str:
        """Address of this service's own database."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / service}.db"


def read_settings(cls: type[S], environ: Mapping[str, str] | None = None) -> S:
    """Reads settings from the environment; a variable that is empty counts as not set.

    Raises:
        SettingsError: naming every variable that is missing or bad.
    """
    environ = os.environ if environ is None else environ
    try:
        given = {name: value for name, value in environ.items() if value != ""}
        # By alias alone: a shell's own `port` or `environment` is none of our business.
        return cls.model_validate(given, by_alias=True, by_name=False)
    except ValidationError as error:
        raise SettingsError("\n".join(_lines(cls, error))) from None


def _lines(cls: type[Settings], error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False, include_input=False):
        if problem["type"] == "default_factory_not_called":  # a default that depends on what is bad
            continue
        name = ".".join(str(part) for part in problem["loc"]) or "settings"
        if name in cls.model_fields:  # of a bad default, the field is named
            name = cls.model_fields[name].alias or name
        reason = "is not set" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, ")
        lines.append(f"{name}: {reason}")
    return sorted(lines)
