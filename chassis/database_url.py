"""What `DATABASE_URL` may say, without asking anybody; the file of certificates it names is looked at as well."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

POSTGRES = ("postgresql", "postgres")
SQLITE = "sqlite"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_DEFAULT_SSL_MODE = "prefer"

_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:,@]*)"
_SERVERS = re.compile(rf"(?:[^@]*@)?{_HOST}(?::\d+)?(?:,{_HOST}(?::\d+)?)*")


def checked(url: str) -> str:
    """The same address. Raises ValueError saying what is wrong with it, in words that hold nothing of it."""
    scheme = url.partition(":")[0]
    if scheme == SQLITE:
        if not url.startswith("sqlite:///"):
            raise ValueError("must have three slashes and an absolute path after sqlite:")
    elif scheme in POSTGRES:
        _check_postgres(url)
    else:
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return url


def is_exposed(url: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether PostgreSQL may be spoken to over a network without anything that keeps others from listening."""
    if url.startswith(SQLITE):
        return False
    mode = _ssl_mode(urlsplit(url), environ)
    return mode in SSL_MODES[: SSL_MODES.index("require")] and not all(_is_here(host) for host in _hosts(url, environ))


def _check_postgres(url: str) -> None:
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError("cannot be read as an address") from None
    if not _SERVERS.fullmatch(parts.netloc):
        raise ValueError("cannot be read: special characters in user and password must be percent-encoded")
    if query.get("sslmode", [_DEFAULT_SSL_MODE])[-1] not in SSL_MODES:
        raise ValueError(f"its sslmode must be one of {', '.join(SSL_MODES)}")
    for file in query.get("sslrootcert", []):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
        except OSError:
            raise ValueError("its sslrootcert is no file of certificates, or cannot be read") from None


def _ssl_mode(parts: SplitResult, environ: Mapping[str, str]) -> str:
    given = parse_qs(parts.query).get("sslmode")
    return given[-1] if given else environ.get("PGSSLMODE") or _DEFAULT_SSL_MODE


def _hosts(url: str, environ: Mapping[str, str]) -> list[str]:
    """Those that asyncpg will try; a directory is one of Unix sockets."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    named = parts.netloc.rpartition("@")[2] or query.get("host", [""])[-1] or environ.get("PGHOST", "")
    return [re.sub(r":\d+$", "", unquote(host)).strip("[]") for host in named.split(",")]


def _is_here(host: str) -> bool:
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
