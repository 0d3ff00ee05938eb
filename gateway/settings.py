"""What differs between one gateway and another."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

GEN = Path(__file__).resolve().parent.parent / "gen"
# What a browser sends as Origin, and nothing it does not: no path, no upper case, no wildcard.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Reads `host:port`.

        Raises:
            ValueError: it is something else.
        """
        host, _, port = text.rpartition(":")
        if host.split() != [host] or not port.isdecimal():
            raise ValueError(f"{text!r} is not an address like 127.0.0.1:50051")
        return cls(host.strip("[]"), int(port))


def parse_addresses(text: str) -> tuple[Address, ...]:
    """Reads `host:port`, or several of them with commas between: the replicas of one service.

    Raises:
        ValueError: there is something else among them, or nothing.
    """
    return tuple(Address.parse(each.strip()) for each in text.split(","))


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Everything `envoy_config` needs. Raises ValueError, with all that is wrong at once."""

    port: int
    """Where apps and gRPC callers connect."""
    admin_port: int
    """Envoy's own pages, always on loopback."""
    prompt: tuple[Address, ...]
    """The replicas of a service; a host name with several addresses is several replicas, too."""
    generation: tuple[Address, ...]
    storage: tuple[Address, ...]
    service_jwt_secret: str = field(repr=False)
    """Signs the tokens of internal callers."""
    jwt_secret: str | None = field(default=None, repr=False)
    """Signs the apps' tokens; this, `jwt_jwks_url`, or both."""
    jwt_jwks_url: str | None = None
    """Where the public keys of the apps' tokens are."""
    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 for all."""
    cors_origins: tuple[str, ...] = ()
    """The browser apps that may call, each as its browser says it: `https://app.example.com`."""
    access_log: Path | None = None
    """A file, or /dev/stdout; None: no access log."""
    descriptor: Path = GEN / "api.binpb"
    openapi: Path = GEN / "openapi.json"
    docs: Path = GEN / "docs.html"

    def __post_init__(self) -> None:
        problems = [*self._token_problems(), *self._origin_problems(), *self._port_problems()]
        if problems:
            raise ValueError("; ".join(problems))

    def _token_problems(self) -> list[str]:
        problems = []
        if not self.service_jwt_secret:
            problems.append("SERVICE_JWT_SECRET is empty")
        if not self.jwt_secret and not self.jwt_jwks_url:
            problems.append("JWT_SECRET or JWT_JWKS_URL must be set, or nobody can call")
        if self.jwt_jwks_url and not _is_http(self.jwt_jwks_url):
            problems.append("JWT_JWKS_URL must be an http or https address")
        return problems

    def _origin_problems(self) -> list[str]:
        bad = [origin for origin in self.cors_origins if not ORIGIN.fullmatch(origin)]
        reason = "; browsers refuse * together with credentials" if "*" in bad else ""
        return [f"CORS_ORIGINS: {origin!r} is not an origin like https://app.example.com{reason}" for origin in bad]

    def _port_problems(self) -> list[str]:
        ports = [("port", self.port), ("admin_port", self.admin_port)]
        services = {"prompt": self.prompt, "generation": self.generation, "storage": self.storage}
        ports += [(name, each.port) for name, replicas in services.items() for each in replicas]
        nowhere = [f"{name} is nowhere" for name, replicas in services.items() if not replicas]
        return [f"{name} {port} is not a port" for name, port in ports if not 0 < port < 65536] + nowhere


def split_origins(text: str) -> tuple[str, ...]:
    """Origins separated by commas, as CORS_ORIGINS has them."""
    return tuple(origin for each in text.split(",") if (origin := each.strip()))


def _is_http(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname)
