"""Where NATS is, and who we are to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

SCHEMES = ("nats", "tls")


@dataclass(frozen=True, slots=True)
class Address:
    """`nats://user:password@host:port`, or several of them with commas between, taken apart."""

    servers: tuple[str, ...]
    """Without credentials, so they may be logged."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Address:
        """Credentials are percent-decoded here (nats-py does not) and hold for every server.

        Raises:
            ValueError: this is no NATS url; the message does not repeat it.
        """
        parts = [_split(part.strip()) for part in url.split(",")]
        servers = tuple(f"{part.scheme}://{part.netloc.rpartition('@')[2]}" for part in parts)
        known = next((part for part in parts if part.username), None)
        if known is None or known.username is None:
            return cls(servers)
        if known.password is None:
            return cls(servers, token=unquote(known.username))
        return cls(servers, user=unquote(known.username), password=unquote(known.password))

    def __str__(self) -> str:
        return ", ".join(self.servers)


def _split(url: str) -> SplitResult:
    part = urlsplit(url)
    if part.scheme not in SCHEMES or not part.hostname:
        raise ValueError("a NATS url looks like nats://user:password@host:port")
    return part
