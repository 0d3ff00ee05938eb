"""Whatever comes as a token, it is verified or refused: never an error of ours."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.auth import Caller, TokenVerifier
from chassis.errors import Unauthenticated
from tests.builders import SERVICE_SECRET, USER_SECRET, user_token

CLAIMS = ("sub", "exp", "iat", "nbf", "iss", "aud", "jti", "type", "role", "tier")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=5,
)


async def caller(authorization: str, *, of: str | None = None) -> Caller | None:
    """None: refused. `of`: the issuer and audience that are asked for."""
    verifier = TokenVerifier(user_secret=USER_SECRET, service_secret=SERVICE_SECRET, issuer=of, audience=of)
    try:
        return await verifier.verify(authorization)
    except Unauthenticated:
        return None


def signed(claims: Any, secret: str = USER_SECRET, **header: Any) -> str:
    return jwt.PyJWS().encode(json.dumps(claims).encode(), secret, "HS256", headers=header)


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@given(st.text(max_size=200))
async def test_no_text_is_a_token(text: str) -> None:
    assert await caller(text) is None
    assert await caller(f"Bearer {text}") is None


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jku", "jwk", "x5u"]), ANYTHING) | ANYTHING)
async def test_no_header_makes_a_signature_right(header: Any) -> None:
    _, payload, signature = user_token().split(".")

    assert await caller(f"Bearer {encoded(header)}.{payload}.{signature}") is None


@given(st.dictionaries(st.sampled_from(CLAIMS), ANYTHING))
@settings(max_examples=300)
async def test_claims_of_any_shape_are_verified_or_refused(claims: dict[str, Any]) -> None:
    for secret in (USER_SECRET, SERVICE_SECRET):
        for of in (None, "us"):
            found = await caller(f"Bearer {signed({'exp': int(time.time()) + 60, **claims}, secret)}", of=of)

            if found is not None:
                assert found.is_service == (secret == SERVICE_SECRET)
                assert found.is_service or found.user_id == claims["sub"]
                assert claims.get("type", "access") == "access"


@given(ANYTHING)
async def test_claims_that_are_no_object_are_refused(claims: Any) -> None:
    if not isinstance(claims, dict):
        assert await caller(f"Bearer {signed(claims)}") is None


@pytest.mark.parametrize("exp", [float("inf"), float("nan"), 10**400, "9" * 5000, -1, True, [], {}])
async def test_a_time_that_is_none_is_refused_or_far_away(exp: Any) -> None:
    found = await caller(f"Bearer {signed({'sub': 'ada', 'exp': exp})}")

    assert found is None or exp == 10**400
