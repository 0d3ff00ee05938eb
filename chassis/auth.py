"""Who is calling: access tokens, and the table of who may call what.

The gateway checks signatures and `exp` at the edge; every service verifies again and checks the rest, so a direct
gRPC call is as safe as one through REST.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from typing import Any

import jwt

from chassis.errors import ServiceOnly, TokenExpired, Unauthenticated, Unavailable
from chassis.settings import ServiceSettings

SKEW = 30
"""Seconds a clock may be off."""
SERVICE_ROLE = "service_role"


class Access(Enum):
    """Who may call a method."""

    USER = "user"
    """A user, for what is theirs; also a service."""
    SERVICE = "service"
    """Other services only."""
    PUBLIC = "public"
    """Anybody, without a token."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent the request that is being served."""

    user_id: str
    """The token's `sub`; empty for a service or for nobody."""
    is_service: bool
    tier: str
    token: str
    """As it came, to be forwarded to another service on the caller's behalf."""


NOBODY = Caller(user_id="", is_service=False, tier="", token="")
_caller: ContextVar[Caller] = ContextVar("caller", default=NOBODY)


def current_caller() -> Caller:
    """The caller of the RPC being served."""
    return _caller.get()


def current_user() -> str:
    """The user who is calling, for what belongs to users.

    Raises:
        Unauthenticated: a service is calling, on nobody's behalf; it forwards its user's token instead.
    """
    caller = _caller.get()
    if caller.is_service:
        raise Unauthenticated("the access token names no user")
    return caller.user_id


def set_caller(caller: Caller) -> None:
    """Binds the caller to the RPC being served; each RPC runs in a context of its own."""
    _caller.set(caller)


class Policy:
    """Maps every full method name to who may call it; what is not in it is denied."""

    def __init__(self, methods: Mapping[str, Access]) -> None:
        self._methods = dict(methods)

    def access(self, method: str) -> Access:
        """Who may call a method.

        Raises:
            ServiceOnly: the method is in no table.
        """
        access = self._methods.get(method)
        if access is None:
            raise ServiceOnly("this method is not served to anybody", metadata={"method": method})
        return access

    def check(self, method: str, caller: Caller) -> None:
        """Raises ServiceOnly if this caller may not call it."""
        if self.access(method) is Access.SERVICE and not caller.is_service:
            raise ServiceOnly("only other services may call this method", metadata={"method": method})


class TokenVerifier:
    """Turns an `authorization` header into a Caller."""

    def __init__(
        self,
        *,
        user_secret: str | None,
        service_secret: str,
        jwks: jwt.PyJWKClient | None = None,
        issuer: str | None = None,
        audience: str | None = None,
    ) -> None:
        self._user_secret = user_secret
        self._service_secret = service_secret
        self._jwks = jwks
        self._issuer = issuer
        self._audience = audience

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> TokenVerifier:
        """A verifier for the tokens that the settings name."""
        return cls(
            user_secret=settings.jwt_secret.get_secret_value() if settings.jwt_secret else None,
            service_secret=settings.service_jwt_secret.get_secret_value(),
            jwks=jwt.PyJWKClient(settings.jwt_jwks_url, timeout=5) if settings.jwt_jwks_url else None,
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
        )

    async def verify(self, authorization: str | None) -> Caller:
        """Verifies a bearer token.

        Raises:
            Unauthenticated: there is none, or it is not ours.
            TokenExpired: it was good once.
            Unavailable: the public keys cannot be fetched.
        """
        token = _bearer(authorization)
        algorithm = _algorithm(token)
        if algorithm == "HS256":
            return self._verify_shared(token)
        if algorithm in ("ES256", "RS256") and self._jwks is not None:
            return self._user(token, await self._public_key(token), [algorithm])
        raise Unauthenticated("the access token is not valid")

    def _verify_shared(self, token: str) -> Caller:
        # Two issuers share HS256; a token is whose secret made its signature, whatever it claims.
        try:
            claims = _decode(token, self._service_secret, ["HS256"])
        except jwt.InvalidSignatureError:
            if self._user_secret is None:
                raise Unauthenticated("the access token is not valid") from None
            return self._user(token, self._user_secret, ["HS256"])
        if claims.get("role") != SERVICE_ROLE:
            raise Unauthenticated("the access token is not valid")
        return Caller(user_id="", is_service=True, tier="", token=token)

    def _user(self, token: str, key: Any, algorithms: list[str]) -> Caller:
        try:
            claims = _decode(token, key, algorithms, issuer=self._issuer, audience=self._audience)
        except jwt.InvalidSignatureError:
            raise Unauthenticated("the access token is not valid") from None
        if claims.get("type", "access") != "access" or claims.get("role", "authenticated") != "authenticated":
            raise Unauthenticated("this kind of token is not accepted here")
        return Caller(user_id=_subject(claims), is_service=False, tier=str(claims.get("tier") or "free"), token=token)

    async def _public_key(self, token: str) -> Any:
        assert self._jwks is not None
        try:
            return (await asyncio.to_thread(self._jwks.get_signing_key_from_jwt, token)).key
        except jwt.PyJWKClientConnectionError as error:
            raise Unavailable("access tokens cannot be checked right now") from error
        except jwt.PyJWTError as error:
            raise Unauthenticated("the access token is not valid") from error


def _bearer(authorization: str | None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("an access token is needed: Authorization: Bearer <token>")
    return token.strip()


def _algorithm(token: str) -> str:
    try:
        return str(jwt.get_unverified_header(token).get("alg"))
    except jwt.PyJWTError:
        raise Unauthenticated("the access token is not valid") from None


def _decode(
    token: str, key: Any, algorithms: Iterable[str], *, issuer: str | None = None, audience: str | None = None
) -> dict[str, Any]:
    options: Any = {"require": ["exp"], "verify_aud": audience is not None, "verify_iss": issuer is not None}
    try:
        return jwt.decode(
            token, key, algorithms=list(algorithms), options=options, leeway=SKEW, issuer=issuer, audience=audience
        )
    except jwt.InvalidSignatureError:
        raise
    except jwt.ExpiredSignatureError:
        raise TokenExpired("the access token has expired") from None
    except (jwt.PyJWTError, ValueError):
        raise Unauthenticated("the access token is not valid") from None


def _subject(claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 128 or not subject.isprintable():
        raise Unauthenticated("the access token names no user")
    return subject


def grpc_methods(package_service: str, methods: Mapping[str, Access]) -> dict[str, Access]:
    """Full method names of one service, for a policy table."""
    return {f"/{package_service}/{name}": access for name, access in methods.items()}
