"""Whose tokens are good, on the whole system: what the gateway lets by, a service still looks at."""

from __future__ import annotations

import time
from typing import Any

import httpx
import jwt
import pytest

from deploy.local.background import BackgroundSystem

GOOD = {"sub": "ada", "exp": 600, "iat": 0, "jti": "1", "type": "access", "tier": "free", "email": "a@b.c"}
"""Times are seconds from now, where they are numbers."""
SERVICE = {"role": "service_role", "exp": 600}


async def asked(system: BackgroundSystem, token: str, path: str = "/api/v1/jobs") -> httpx.Response:
    async with httpx.AsyncClient(base_url=system.url, trust_env=False) as client:
        return await client.get(path, headers={"Authorization": f"Bearer {token}"})


def signed(
    system: BackgroundSystem, claims: dict[str, Any], *, by: str = "jwt_secret", algorithm: str = "HS256"
) -> str:
    now = int(time.time())
    claims = {name: value for name, value in claims.items() if value is not ...}
    for name in {"exp", "iat", "nbf"} & set(claims):
        claims[name] = now + claims[name] if isinstance(claims[name], int | float) else claims[name]
    return jwt.encode(claims, getattr(system.settings, by).get_secret_value(), algorithm)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"type": ...},
        {"role": "authenticated", "aud": "authenticated", "iss": "https://x.supabase.co/auth/v1"},
        {"exp": -10},
        {"exp": 600.5},
        {"sub": "😀" * 128},
        {"sub": " '; DROP TABLE jobs; --"},
        {"tier": 5},
    ],
)
async def test_a_users_token_is_good(system: BackgroundSystem, change: dict[str, Any]) -> None:
    assert (await asked(system, signed(system, {**GOOD, **change}))).status_code == 200


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"exp": -40}, "TOKEN_EXPIRED"),
        ({"exp": ...}, "UNAUTHENTICATED"),
        ({"exp": "9999999999"}, "UNAUTHENTICATED"),
        ({"nbf": 600}, "UNAUTHENTICATED"),
        ({"iat": 600}, "UNAUTHENTICATED"),
        ({"sub": ...}, "UNAUTHENTICATED"),
        ({"sub": ""}, "UNAUTHENTICATED"),
        ({"sub": "x" * 129}, "UNAUTHENTICATED"),
        ({"sub": "two\nlines"}, "UNAUTHENTICATED"),
        ({"sub": "nul\0"}, "UNAUTHENTICATED"),
        ({"type": "refresh"}, "UNAUTHENTICATED"),
        ({"type": None}, "UNAUTHENTICATED"),
        ({"role": "anon"}, "UNAUTHENTICATED"),
        ({"role": "service_role"}, "UNAUTHENTICATED"),
        ({"role": ["authenticated"]}, "UNAUTHENTICATED"),
    ],
)
async def test_a_token_that_says_something_else_is_401(
    system: BackgroundSystem, change: dict[str, Any], reason: str
) -> None:
    response = await asked(system, signed(system, {**GOOD, **change}))

    assert (response.status_code, response.json()["error"]["code"]) == (401, reason)


@pytest.mark.parametrize("claims", [GOOD, {**GOOD, "role": "authenticated"}, {**SERVICE, "type": "refresh"}])
async def test_the_key_of_services_signs_for_no_user(system: BackgroundSystem, claims: dict[str, Any]) -> None:
    assert (await asked(system, signed(system, claims, by="service_jwt_secret"))).status_code == 401


async def test_a_service_needs_no_name_and_has_nothing_of_its_own(system: BackgroundSystem) -> None:
    token = signed(system, SERVICE, by="service_jwt_secret")

    assert (await asked(system, token, "/api/v1/templates")).status_code == 200
    assert (await asked(system, token, "/api/v1/brand-kits")).status_code == 401


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_the_algorithm_is_not_the_tokens_to_choose(system: BackgroundSystem) -> None:
    good = signed(system, GOOD)
    unsigned = jwt.encode(jwt.decode(good, options={"verify_signature": False}), "", "none")

    assert (await asked(system, signed(system, GOOD, algorithm="HS512"))).status_code == 401
    assert (await asked(system, unsigned)).status_code == 401
    assert (await asked(system, unsigned + good.rpartition(".")[2])).status_code == 401


async def test_a_token_counts_in_one_place_only(system: BackgroundSystem) -> None:
    token = signed(system, GOOD)
    async with httpx.AsyncClient(base_url=system.url, trust_env=False) as client:
        answers = [
            await client.get("/api/v1/templates", params={"access_token": token}),
            await client.get("/api/v1/templates", headers={"Cookie": f"access_token={token}"}),
            await client.get("/api/v1/templates", headers={"Authorization": token}),
            await client.get(
                "/api/v1/templates", headers=[("Authorization", f"Bearer {token}"), ("Authorization", "x")]
            ),
        ]

    assert [answer.status_code for answer in answers] == [401] * 4
