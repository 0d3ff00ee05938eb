"""Who is calling: access tokens, and the table of who may call what.

The gateway checks signatures and `exp` at the edge; every service verifies again and checks the rest, so a direct
gRPC call is as safe as one through REST.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum

import jwt

from chassis.errors import ServiceOnly, Unauthenticated
from chassis.public_keys import ALGORITHMS, PublicKeys
from chassis.remembered import Remembered
from chassis.settings import ServiceSettings
from chassis.tokens import SKEW, bearer, check_kind, decode, header, subject

USER_ROLE = "authenticated"
SERVICE_ROLE = "service_role"
REMEMBERED = 4096
"""How many verified tokens are remembered."""
REMEMBERED_FOR = 300.0
"""Seconds after which one is verified again, for its key may have been withdrawn."""


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
    token: str = field(repr=False)
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
    user_id = _caller.get().user_id
    if not user_id:
        raise Unauthenticated("the access token names no user")
    return user_id


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
        public_keys: PublicKeys | None = None,
        issuer: str | None = None,
        audience: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._user_secret = user_secret
        self._service_secret = service_secret
        self._public_keys = public_keys
        self._issuer = issuer
        self._audience = audience
        # Never a refused one: what is refused now may be good in a moment.
        self._verified = Remembered[Caller](REMEMBERED, clock=clock)

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> TokenVerifier:
        """A verifier for the tokens that the settings name."""
        return cls(
            user_secret=settings.jwt_secret.get_secret_value() if settings.jwt_secret else None,
            service_secret=settings.service_jwt_secret.get_secret_value(),
            public_keys=PublicKeys(settings.jwt_jwks_url) if settings.jwt_jwks_url else None,
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
        token = bearer(authorization)
        caller = self._verified.get(token)
        if caller is None:
            proof = await self._prove(token)
            if proof is None:
                raise Unauthenticated("the access token is not valid")
            caller = proof.caller
            self._verified.add(token, caller, until=proof.exp + SKEW, at_most=REMEMBERED_FOR)
        return caller

    async def _prove(self, token: str) -> _Proof | None:
        """None: no key of ours made its signature. A token is whose key that was, whatever it claims."""
        algorithm, key_id = header(token)
        if algorithm == "HS256":
            return self._user(token, self._user_secret, algorithm) or self._service(token)
        if algorithm not in ALGORITHMS or self._public_keys is None or key_id is None:
            return None
        key = await self._public_keys.find(key_id)
        # The algorithm is the key's, as its issuer published it, and never the token's to choose.
        return self._user(token, key, key.algorithm_name)

    def _user(self, token: str, key: str | jwt.PyJWK | None, algorithm: str) -> _Proof | None:
        if key is None:
            return None
        claims = decode(token, key, algorithm, issuer=self._issuer, audience=self._audience)
        if claims is None:
            return None
        check_kind(claims, role=claims.get("role", USER_ROLE), expected=USER_ROLE)
        tier = str(claims.get("tier") or "free")
        return _Proof(Caller(subject(claims), is_service=False, tier=tier, token=token), int(claims["exp"]))

    def _service(self, token: str) -> _Proof | None:
        claims = decode(token, self._service_secret, "HS256")
        if claims is None:
            return None
        check_kind(claims, role=claims.get("role"), expected=SERVICE_ROLE)
        return _Proof(Caller("", is_service=True, tier="", token=token), int(claims["exp"]))


@dataclass(frozen=True, slots=True)
class _Proof:
    """That a token is good, and until when: its `exp`."""

    caller: Caller
    exp: int


def grpc_methods(package_service: str, methods: Mapping[str, Access]) -> dict[str, Access]:
    """Full method names of one service, for a policy table."""
    return {f"/{package_service}/{name}": access for name, access in methods.items()}
