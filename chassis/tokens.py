"""What an access token is: a signed JWT whose time is right, and what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jwt

from chassis.errors import TokenExpired, Unauthenticated

SKEW = 30
"""Seconds a clock may be off."""
# Three parts of base64url and nothing else: a lenient decoder would take many spellings of one token.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,1024}\.[A-Za-z0-9_-]{1,16384}\.[A-Za-z0-9_-]{1,1024}")
# What the library raises for the tokens it was made for, and for those it was not.
_MALFORMED = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)


def bearer(authorization: str | None) -> str:
    """The token of an `authorization` header, not yet looked at."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("an access token is needed: Authorization: Bearer <token>")
    return token.strip(" ")


def header(token: str) -> tuple[str | None, str | None]:
    """The algorithm and the key id that a token claims."""
    try:
        claimed = jwt.get_unverified_header(token) if _TOKEN.fullmatch(token) else {}
    except _MALFORMED:
        claimed = {}
    return claimed.get("alg"), claimed.get("kid")


def decode(
    token: str,
    key: str | jwt.PyJWK,
    algorithm: str,
    *,
    issuer: str | None = None,
    audience: str | None = None,
) -> dict[str, Any] | None:
    """The claims of a token whose time is right; None if another key signed it."""
    options: Any = {"require": ["exp"], "verify_aud": audience is not None, "verify_iss": issuer is not None}
    try:
        return jwt.decode(
            token, key, algorithms=[algorithm], options=options, leeway=SKEW, issuer=issuer, audience=audience
        )
    except jwt.InvalidSignatureError:
        return None
    except jwt.ExpiredSignatureError:
        raise TokenExpired("the access token has expired") from None
    except _MALFORMED:
        raise Unauthenticated("the access token is not valid") from None


def check_kind(claims: Mapping[str, Any], *, role: object, expected: str) -> None:
    """Refuses refresh tokens, and roles that the token's key does not stand for."""
    if role != expected or claims.get("type", "access") != "access":
        raise Unauthenticated("this kind of token is not accepted here")


def subject(claims: Mapping[str, Any]) -> str:
    """The user a token names."""
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 1 <= len(sub) <= 128 or not sub.isprintable():
        raise Unauthenticated("the access token names no user")
    return sub
