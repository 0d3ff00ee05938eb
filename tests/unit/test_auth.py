"""Which tokens let a caller in: the apps' own, Supabase's, and those of internal callers."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest

from chassis.auth import Access, Caller, Policy, TokenVerifier, current_user, set_caller
from chassis.errors import ServiceOnly, TokenExpired, Unauthenticated
from chassis.settings import ServiceSettings, read_settings
from tests.builders import SERVICE_SECRET, USER_SECRET, service_token, user_token

STRANGERS_SECRET = "strangers-secret-for-tests-0123456789"
ISSUER = "https://x.supabase.co/auth/v1"


def a_verifier(**given: Any) -> TokenVerifier:
    return TokenVerifier(**{"user_secret": USER_SECRET, "service_secret": SERVICE_SECRET, **given})


def signed(claims: dict[str, Any], secret: str = USER_SECRET, algorithm: str = "HS256") -> str:
    """A token of these claims as they stand, also when no library would make one."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), secret, algorithm, headers={"typ": "JWT"})


def soon() -> int:
    return int(time.time()) + 3600


async def verified(token: str, verifier: TokenVerifier | None = None) -> Caller:
    return await (verifier or a_verifier()).verify(f"Bearer {token}")


async def refused(token: str, verifier: TokenVerifier | None = None) -> Unauthenticated:
    with pytest.raises(Unauthenticated) as refusal:
        await verified(token, verifier)
    return refusal.value


async def test_an_apps_token_names_its_user_and_tier() -> None:
    token = user_token("ada", tier="pro")

    assert await verified(token) == Caller(user_id="ada", is_service=False, tier="pro", token=token)


async def test_a_token_without_a_tier_is_of_the_free_one() -> None:
    assert (await verified(signed({"sub": "ada", "exp": soon()}))).tier == "free"


async def test_supabases_tokens_are_accepted_beside_the_apps_own() -> None:
    verifier = a_verifier()
    supabases = signed(
        {
            "sub": "5c2d",
            "exp": soon(),
            "aud": "authenticated",
            "iss": ISSUER,
            "role": "authenticated",
            "session_id": "1",
        }
    )

    assert (await verified(supabases, verifier)).user_id == "5c2d"
    assert (await verified(user_token("ada"), verifier)).user_id == "ada"


@pytest.mark.parametrize("aud", ["authenticated", ["authenticated", "others"]], ids=["one", "several"])
async def test_issuer_and_audience_are_checked_when_they_are_set(aud: object) -> None:
    verifier = a_verifier(issuer=ISSUER, audience="authenticated")

    assert (await verified(user_token(iss=ISSUER, aud=aud), verifier)).user_id == "ada"


@pytest.mark.parametrize(
    "claims",
    [
        {}, {"iss": ISSUER}, {"aud": "authenticated"}, {"iss": ISSUER, "aud": "others"}, {"iss": ISSUER, "aud": [1]},
        {"iss": "x", "aud": "authenticated"}, {"iss": [ISSUER], "aud": "authenticated"},
    ],
    ids=str,
)  # fmt: skip
async def test_another_issuer_or_audience_is_refused_when_they_are_set(claims: dict[str, Any]) -> None:
    token = signed({"sub": "ada", "exp": soon(), **claims})

    await refused(token, a_verifier(issuer=ISSUER, audience="authenticated"))


async def test_a_services_token_needs_no_user_issuer_or_audience() -> None:
    caller = await verified(service_token(), a_verifier(issuer=ISSUER, audience="authenticated"))

    assert (caller.is_service, caller.user_id) == (True, "")


@pytest.mark.parametrize("secret", [USER_SECRET, SERVICE_SECRET], ids=["user", "service"])
@pytest.mark.parametrize("exp", [{}, {"exp": None}], ids=["absent", "null"])
async def test_a_token_that_never_expires_is_refused(exp: dict[str, None], secret: str) -> None:
    role = "service_role" if secret == SERVICE_SECRET else "authenticated"

    refusal = await refused(signed({"sub": "ada", "role": role, **exp}, secret))

    assert not isinstance(refusal, TokenExpired)


@pytest.mark.parametrize("lifetime", [-25, 25])
async def test_a_clock_may_be_off_by_half_a_minute(lifetime: int) -> None:
    now = int(time.time())

    assert (await verified(user_token(lifetime=lifetime, iat=now + 25, nbf=now + 25))).user_id == "ada"


async def test_an_expired_token_is_called_so() -> None:
    for token in (user_token(lifetime=-35), service_token(lifetime=-35)):
        assert isinstance(await refused(token), TokenExpired)


async def test_a_token_whose_time_has_not_come_is_refused() -> None:
    for claim in ("nbf", "iat"):
        await refused(signed({"sub": "ada", "exp": soon(), claim: int(time.time()) + 60}))


@pytest.mark.parametrize("kind", ["refresh", "", None, 1, "Access"])
async def test_a_token_of_another_type_is_refused(kind: object) -> None:
    await refused(user_token(type=kind))
    await refused(signed({"role": "service_role", "exp": soon(), "type": kind}, SERVICE_SECRET))


@pytest.mark.parametrize("role", ["service_role", "anon", "", None, ["authenticated"], "Authenticated"])
async def test_a_users_token_claims_no_other_role(role: object) -> None:
    await refused(user_token(role=role))


@pytest.mark.parametrize("claims", [{}, {"role": "authenticated"}, {"role": None}, {"role": ["service_role"]}], ids=str)
async def test_the_services_secret_signs_for_services_alone(claims: dict[str, Any]) -> None:
    await refused(signed({"sub": "ada", "exp": soon(), **claims}, SERVICE_SECRET))


@pytest.mark.parametrize("claims", [{"sub": "ada"}, {"role": "service_role"}], ids=str)
async def test_a_token_that_a_stranger_signed_is_refused(claims: dict[str, Any]) -> None:
    await refused(signed({"exp": soon(), **claims}, STRANGERS_SECRET))


@pytest.mark.parametrize("sub", ["a", "a" * 128, "auth0|5c2d", "Ada Lovelace", "ädä 🎮"])
async def test_any_printable_name_is_a_user(sub: str) -> None:
    assert (await verified(user_token(sub))).user_id == sub


@pytest.mark.parametrize(
    "sub", ["", "a" * 129, "a\nb", "a\x00", "\u200b", "\ud800", None, 7, ["ada"], {"ada": 1}], ids=repr
)
async def test_what_is_no_printable_name_is_no_user(sub: object) -> None:
    await refused(signed({"sub": sub, "exp": soon()}))


async def test_a_token_without_a_user_is_refused() -> None:
    await refused(signed({"exp": soon()}))


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "HS384", "HS512", "ES256", "RS256", "", None, 256, ["HS256"]]
)
async def test_the_algorithm_is_not_the_tokens_to_choose(algorithm: Any) -> None:
    _, payload, signature = user_token().split(".")
    header = base64.urlsafe_b64encode(json.dumps({"typ": "JWT", "alg": algorithm}).encode()).decode().rstrip("=")

    await refused(f"{header}.{payload}.{signature}")
    await refused(f"{header}.{payload}.")


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
async def test_another_algorithm_is_refused_even_with_the_right_secret(algorithm: str) -> None:
    long_enough = "user-secret-for-tests-0123456789abcdef" * 2

    await refused(signed({"sub": "ada", "exp": soon()}, long_enough, algorithm), a_verifier(user_secret=long_enough))


async def test_without_a_user_secret_only_services_get_in_by_shared_secret() -> None:
    verifier = a_verifier(user_secret=None)

    assert (await verified(service_token(), verifier)).is_service
    for stranger in (user_token(), signed({"sub": "ada", "exp": soon()}, "x" * 32)):
        await refused(stranger, verifier)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("gap", [" ", "   "], ids=["one space", "three"])
async def test_the_scheme_is_bearer_in_any_case(scheme: str, gap: str) -> None:
    assert (await a_verifier().verify(f"{scheme}{gap}{user_token()} ")).user_id == "ada"


@pytest.mark.parametrize(
    "authorization",
    [
        None, "", " ", "Bearer", "Bearer ", "Bearer  ", "Bearer x", "Bearer a.b", "Bearer a.b.c", "Bearer ...",
        "Bearer a.b.c.d", "Basic YWRhOnB3", "Token {token}", "{token}", "Bearer{token}", "Bearer\t{token}",
        "Bearer {token} {token}", "Bearer {token}.x", "Bearer {token}=", "Bearer {token}é", "Bearer {token}\n",
        "Bearer !{token}", "Bearer \ud800", "Bearer ключ.ключ.ключ", "Bearer " + "a" * 100_000,
        "Bearer " + ".".join(["a" * 30_000] * 3), "Bearer Bearer {token}",
    ],
)  # fmt: skip
async def test_what_is_not_one_whole_token_is_refused(authorization: str | None) -> None:
    given = authorization.replace("{token}", user_token()) if authorization else authorization

    with pytest.raises(Unauthenticated) as refusal:
        await a_verifier().verify(given)

    assert refusal.value.message in (
        "an access token is needed: Authorization: Bearer <token>", "the access token is not valid",
    )  # fmt: skip


@pytest.mark.parametrize("opening", ["[", '{"alg":'])
async def test_a_header_nested_without_end_is_refused(opening: str) -> None:
    header = base64.urlsafe_b64encode((opening * 700).encode()[:768]).decode().rstrip("=")

    await refused(f"{header}.e30.c2ln")


async def test_a_change_of_any_letter_is_noticed() -> None:
    token = user_token()
    verifier = a_verifier()
    await verified(token, verifier)

    for place in range(0, len(token) - 1, 7):
        other = "A" if token[place] != "A" else "B"
        await refused(token[:place] + other + token[place + 1 :], verifier)


async def test_a_remembered_token_still_expires() -> None:
    verifier = a_verifier()
    token = signed({"sub": "ada", "exp": int(time.time()) - 28})  # less than two seconds of skew are left
    assert (await verified(token, verifier)).user_id == "ada"
    expires = time.monotonic() + 3

    with pytest.raises(TokenExpired):
        while time.monotonic() < expires:
            await verified(token, verifier)


def test_a_caller_does_not_show_their_token() -> None:
    caller = Caller(user_id="ada", is_service=False, tier="free", token="secret")

    assert "secret" not in f"{caller} {caller!r}"


@pytest.mark.parametrize("is_service", [True, False], ids=["a service", "nobody"])
async def test_what_belongs_to_users_needs_one(is_service: bool) -> None:
    set_caller(Caller(user_id="", is_service=is_service, tier="", token=""))

    with pytest.raises(Unauthenticated):
        current_user()


async def test_a_user_is_known_while_their_call_is_served() -> None:
    set_caller(Caller(user_id="ada", is_service=False, tier="free", token=""))

    assert current_user() == "ada"


def test_a_method_in_no_table_is_for_nobody() -> None:
    policy = Policy({"/x.Y/Read": Access.USER})
    service = Caller(user_id="", is_service=True, tier="", token="")

    policy.check("/x.Y/Read", service)
    for method in ("/x.Y/Write", "x.Y/Read", "/x.Y/read", ""):
        with pytest.raises(ServiceOnly):
            policy.check(method, service)


async def test_the_settings_say_whose_tokens_are_accepted() -> None:
    given = {"NATS_URL": "nats://127.0.0.1:1", "JWT_SECRET": USER_SECRET, "SERVICE_JWT_SECRET": SERVICE_SECRET}
    settings = read_settings(ServiceSettings, {**given, "JWT_ISSUER": ISSUER, "JWT_AUDIENCE": "authenticated"})

    verifier = TokenVerifier.from_settings(settings)

    assert (await verified(user_token(iss=ISSUER, aud="authenticated"), verifier)).user_id == "ada"
    assert (await verified(service_token(), verifier)).is_service
    await refused(user_token(iss=ISSUER), verifier)
    await refused(user_token(aud="authenticated"), verifier)
