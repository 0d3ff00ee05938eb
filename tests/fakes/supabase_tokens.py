"""The tokens of Supabase Storage: who is calling, and what a signed link opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt

from tests.fakes.supabase_answers import Refusal, bad_link, bad_request, denied, link_of_another_path, no_such_role

JWT_SECRET = "supabase-jwt-secret-for-tests-0123456789"
SERVICE_KEY = jwt.encode({"iss": "supabase", "role": "service_role", "iat": 1_700_000_000}, JWT_SECRET, "HS256")
ANON_KEY = jwt.encode({"iss": "supabase", "role": "anon", "iat": 1_700_000_000}, JWT_SECRET, "HS256")
SECRET_KEY = "sb_secret_for-tests_0123456789"
SERVICE_ROLE = "service_role"
ROLES = (SERVICE_ROLE, "authenticated", "anon")


def role_of(headers: Mapping[str, str], now: float) -> str:
    """The role that a request comes in."""
    given, key = headers.get("authorization"), headers.get("apikey")
    # The gateway in front puts a token of its own in place of a secret key that comes alone, or twice.
    if key == SECRET_KEY and given in (None, f"Bearer {SECRET_KEY}"):
        return SERVICE_ROLE
    if given is None:
        raise bad_request("headers must have required property 'authorization'")
    # `aud` and `iss` are nobody's business here, nor need there be an `exp`; `apikey` says nothing to this server.
    role = _claims(given.removeprefix("Bearer "), now, denied).get("role", "anon")
    if role not in ROLES:
        raise no_such_role()
    return str(role)


def sign(path: str, expires_in: int, now: float) -> str:
    """The token of a link; the same once more within a second."""
    claims = {"url": path, "scope": "download", "iat": int(now), "exp": int(now) + expires_in}
    return jwt.encode(claims, JWT_SECRET, "HS256")


def check_link(path: str, token: str | None, now: float) -> int:
    """When the link expires, in seconds since 1970."""
    if token is None:
        raise bad_request("querystring must have required property 'token'")
    claims = _claims(token, now, bad_link)
    if claims.get("url") != path:
        raise link_of_another_path()
    return int(claims["exp"])


def _claims(token: str, now: float, refuse: Any) -> dict[str, Any]:
    try:
        # No clock of jwt's: this server's may be another.
        claims = jwt.decode(token, JWT_SECRET, ["HS256"], options={"verify_exp": False, "verify_aud": False})
    except jwt.InvalidAlgorithmError:
        raise _refusal(refuse, '"alg" (Algorithm) Header Parameter value not allowed') from None
    except jwt.InvalidSignatureError:
        raise _refusal(refuse, "signature verification failed") from None
    except jwt.DecodeError:
        raise _refusal(refuse, "Invalid Compact JWS") from None
    if claims.get("exp", now + 1) <= now:
        raise _refusal(refuse, '"exp" claim timestamp check failed')
    return dict(claims)


def _refusal(refuse: Any, message: str) -> Refusal:
    refusal: Refusal = refuse(message)
    return refusal
