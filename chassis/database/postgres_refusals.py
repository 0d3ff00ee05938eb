"""Why PostgreSQL cannot be used as it is set up: what somebody has to mend, and no waiting helps."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from chassis.database.protocol import DatabaseRefused

_NO_TLS = "asks for TLS by its sslmode, and the server has none"
_POOLER = (
    "is that of a pooler in transaction mode, which has no sessions: use its session mode (Supabase: port 5432), or"
    " connect to the server itself"
)
_RIGHTS = "has a user who lacks a right that is needed; README says which"
_REFUSALS: tuple[tuple[type[Exception], str], ...] = (
    (asyncpg.InvalidAuthorizationSpecificationError, "has a user or a password that the server does not accept"),
    (asyncpg.InvalidCatalogNameError, "names a database that the server does not have"),
    (asyncpg.InsufficientPrivilegeError, _RIGHTS),
    (asyncpg.UndefinedObjectError, "has a parameter that the server does not know"),
    (asyncpg.CantChangeRuntimeParamError, "has a parameter that the server does not let us set"),
    (asyncpg.DuplicatePreparedStatementError, _POOLER),
    (asyncpg.InvalidSQLStatementNameError, _POOLER),
    # Its text may hold parts of the password.
    (
        asyncpg.ClientConfigurationError,
        "has a parameter that makes no sense; verify-ca and verify-full need sslrootcert",
    ),
    (ssl.SSLCertVerificationError, "leads to a server whose certificate is not from sslrootcert, or for another host"),
)


@contextmanager
def refusing() -> Iterator[None]:
    """Raises DatabaseRefused when a connection will be refused next time as well, and lets other trouble pass."""
    try:
        yield
    except ConnectionError as exc:
        if "rejected SSL upgrade" in str(exc):
            raise _refusal(_NO_TLS) from exc
        raise
    except Exception as exc:
        for kind, reason in _REFUSALS:
            if isinstance(exc, kind):
                raise _refusal(reason) from exc
        raise


@contextmanager
def needing_rights() -> Iterator[None]:
    """Raises DatabaseRefused when a role may not do what a migration does."""
    try:
        yield
    except asyncpg.InsufficientPrivilegeError as exc:
        raise _refusal(_RIGHTS) from exc


def transaction_pooler() -> DatabaseRefused:
    return _refusal(_POOLER)


def _refusal(reason: str) -> DatabaseRefused:
    return DatabaseRefused(f"DATABASE_URL: {reason}")
