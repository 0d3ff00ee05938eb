"""What the system on one machine needs to know; whatever else the environment holds is handed on to its parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from chassis.settings import Secret, Settings, read_settings
from deploy.local.ports import HOST, free_ports

AnyPort = Annotated[int, Field(ge=0, le=65535)]
"""A port to listen on; 0: a free one."""

_PORTS = ("port", "prompt_port", "generation_port", "storage_port", "nats_port", "monitor_port", "admin_port")


class LocalSettings(Settings):
    """The settings of `make up`."""

    environment: Literal["local", "production"] = Field("local", alias="STUDIO_ENV")
    """In `local` missing secrets are made once; in `production` one that is missing refuses to start."""
    data_dir: Path = Field(Path(".data"), alias="STUDIO_DATA_DIR")
    """Where everything lives; one system at a time."""
    port: AnyPort = Field(8080, alias="STUDIO_PORT")
    """Where the gateway listens."""
    prompt_port: AnyPort = Field(50051, alias="PROMPT_PORT")
    generation_port: AnyPort = Field(50052, alias="GENERATION_PORT")
    storage_port: AnyPort = Field(50053, alias="STORAGE_PORT")
    nats_port: AnyPort = 0
    """The embedded NATS server's; no variable sets it."""
    monitor_port: AnyPort = 0
    """Where the embedded NATS server says how it is; no variable sets it."""
    admin_port: AnyPort = 0
    """Envoy's own; no variable sets it."""
    public_url: str | None = Field(None, alias="STUDIO_PUBLIC_URL")
    """What the apps reach the gateway by; absent: its address on this machine."""
    nats_url: str | None = Field(None, alias="NATS_URL")
    """Absent: a server of our own."""
    nats_password: SecretStr | None = None
    """The embedded NATS server's."""
    cors_origins: str = Field("", alias="CORS_ORIGINS")
    """Origins of browser apps, separated by commas."""
    jwt_secret: Secret | None = Field(None, alias="JWT_SECRET")
    jwt_jwks_url: str | None = Field(None, alias="JWT_JWKS_URL")
    jwt_issuer: str | None = Field(None, alias="JWT_ISSUER")
    jwt_audience: str | None = Field(None, alias="JWT_AUDIENCE")
    service_jwt_secret: Secret | None = Field(None, alias="SERVICE_JWT_SECRET")
    service_token: SecretStr | None = Field(None, alias="SERVICE_TOKEN")
    files_secret: Secret | None = Field(None, alias="FILES_SECRET")
    verbose: bool = Field(False, alias="STUDIO_VERBOSE")
    """Whether the parts' whole output is shown on the terminal."""
    passed_on: Mapping[str, str] = {}
    """The environment as it was found."""

    @property
    def url(self) -> str:
        """The gateway's address on this machine."""
        return f"http://{HOST}:{self.port}"

    @property
    def apps_url(self) -> str:
        """What the apps reach the gateway by."""
        return (self.public_url or self.url).rstrip("/")

    def with_free_ports(self) -> LocalSettings:
        """The same settings, with a free port in place of every 0."""
        wanting = [name for name in _PORTS if getattr(self, name) == 0]
        return self.model_copy(update=dict(zip(wanting, free_ports(len(wanting)), strict=True)))


def read_local_settings(environ: Mapping[str, str]) -> LocalSettings:
    """Reads the settings of a system on this machine.

    Raises:
        SettingsError: naming every variable that is bad.
    """
    settings = read_settings(LocalSettings, environ)
    return settings.model_copy(update={"passed_on": dict(environ), "data_dir": settings.data_dir.resolve()})
