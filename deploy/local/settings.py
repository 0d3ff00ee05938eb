"""What the system on one machine needs to know; whatever else the environment holds is handed on to its parts."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from chassis.settings import Secret, Settings, read_settings
from deploy.local.ports import HOST, free_ports

AnyPort = Annotated[int, Field(ge=0, le=65535)]
"""A port to listen on; 0: a free one."""

_PORTS = ("port", "prompt_port", "generation_port", "storage_port", "nats_port", "monitor_port", "admin_port")
_REPLICATED = ("prompt", "generation", "storage")
_PER_NATS_SERVER = ("nats", "monitor")
_POSTGRES = ("postgresql://", "postgres://")
_QUORUMS = (1, 3, 5)


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
    nats_servers: int = Field(1, alias="STUDIO_NATS_SERVERS")
    """How many servers of our own; more than one make a cluster."""
    nats_replicas: int | None = Field(None, alias="NATS_REPLICAS", ge=1, le=5)
    """How many of them keep each message; absent: all of our own."""
    database_url: SecretStr | None = Field(None, alias="DATABASE_URL")
    """Absent: a SQLite file for each service."""
    replicas: int = Field(1, alias="STUDIO_REPLICAS", ge=1, le=9)
    """Processes of each service."""
    more_ports: Mapping[str, tuple[int, ...]] = {}
    """Of the replicas after the first, by service; of the NATS servers after the first, by `nats` and `monitor`; and by
    `routes` where the servers of a cluster reach each other."""
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

    @field_validator("nats_servers")
    @classmethod
    def _has_a_majority(cls, servers: int, others: ValidationInfo) -> int:
        if servers not in _QUORUMS:
            raise ValueError("must be 1, 3 or 5: an even number survives no more than the odd one below")
        if servers > 1 and others.data.get("nats_url"):
            raise ValueError("is about servers of our own, and NATS_URL names others")
        return servers

    @field_validator("nats_replicas")
    @classmethod
    def _have_a_server_each(cls, replicas: int | None, others: ValidationInfo) -> int | None:
        if replicas and not others.data.get("nats_url") and replicas > others.data.get("nats_servers", replicas):
            raise ValueError("must be at most STUDIO_NATS_SERVERS")
        return replicas

    @field_validator("replicas")
    @classmethod
    def _share_a_database(cls, replicas: int, others: ValidationInfo) -> int:
        url = others.data.get("database_url")
        if replicas > 1 and not (url and url.get_secret_value().startswith(_POSTGRES)):
            raise ValueError("more than one needs PostgreSQL (a SQLite file serves one process): set DATABASE_URL")
        return replicas

    @property
    def url(self) -> str:
        """The gateway's address on this machine."""
        return f"http://{HOST}:{self.port}"

    @property
    def apps_url(self) -> str:
        """What the apps reach the gateway by."""
        return (self.public_url or self.url).rstrip("/")

    def ports_of(self, name: str) -> tuple[int, ...]:
        """Where the replicas of a service listen, or the servers of `nats`; `monitor`: where those say how they are."""
        return (getattr(self, f"{name}_port"), *self.more_ports.get(name, ()))

    def with_free_ports(self) -> LocalSettings:
        """The same settings, with a free port in place of every 0, and ports for what has more than one."""
        wanting = [name for name in _PORTS if getattr(self, name) == 0]
        more = dict.fromkeys(_REPLICATED, self.replicas - 1) | dict.fromkeys(_PER_NATS_SERVER, self.nats_servers - 1)
        more["routes"] = self.nats_servers if self.nats_servers > 1 else 0
        free = iter(free_ports(len(wanting) + sum(more.values())))
        found = {name: next(free) for name in wanting}
        return self.model_copy(
            update={**found, "more_ports": {name: tuple(islice(free, count)) for name, count in more.items()}}
        )


def read_local_settings(environ: Mapping[str, str]) -> LocalSettings:
    """Reads the settings of a system on this machine.

    Raises:
        SettingsError: naming every variable that is bad.
    """
    settings = read_settings(LocalSettings, environ)
    return settings.model_copy(update={"passed_on": dict(environ), "data_dir": settings.data_dir.resolve()})
