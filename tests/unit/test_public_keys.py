"""Tokens signed with an issuer's own key, which is fetched from its address, and how that may fail."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis.auth import REMEMBERED_FOR, TokenVerifier
from chassis.errors import TokenExpired, Unauthenticated, Unavailable
from chassis.public_keys import FRESH, KEPT, PAUSE, PAUSE_AFTER_FAILURE, PublicKeys
from tests.builders import SERVICE_SECRET, USER_SECRET, service_token, user_token
from tests.jwks import IssuerKey, JwksEndpoint, serving_keys
from tests.queueing import eventually


class Clock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.time = time.time()

    def __call__(self) -> float:
        return self.time


@pytest.fixture(scope="module")
def key() -> IssuerKey:
    return IssuerKey("elliptic")


@pytest.fixture(scope="module")
def rsa_key() -> IssuerKey:
    return IssuerKey("rsa", "RS256")


@pytest.fixture
async def endpoint(key: IssuerKey, rsa_key: IssuerKey) -> AsyncIterator[JwksEndpoint]:
    async with serving_keys(key, rsa_key) as endpoint:
        yield endpoint


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(endpoint: JwksEndpoint, clock: Clock) -> TokenVerifier:
    keys = PublicKeys(endpoint.url, timeout=0.3, clock=clock)
    return TokenVerifier(user_secret=USER_SECRET, service_secret=SERVICE_SECRET, public_keys=keys, clock=clock)


async def user_of(verifier: TokenVerifier, token: str) -> str:
    return (await verifier.verify(f"Bearer {token}")).user_id


async def test_both_kinds_of_key_are_accepted_beside_shared_secrets(
    verifier: TokenVerifier, endpoint: JwksEndpoint, key: IssuerKey, rsa_key: IssuerKey
) -> None:
    tokens = [key.token(sub="eve"), rsa_key.token(sub="rob"), user_token("ada"), service_token()]

    assert [await user_of(verifier, token) for token in tokens] == ["eve", "rob", "ada", ""]
    assert endpoint.asked == 1


async def test_the_rest_of_such_a_token_is_checked_as_well(verifier: TokenVerifier, key: IssuerKey) -> None:
    refused: list[dict[str, Any]] = [
        {"role": "service_role"}, {"role": "anon"}, {"type": "refresh"}, {"sub": ""}, {"exp": None},
    ]  # fmt: skip

    for claims in refused:
        with pytest.raises(Unauthenticated):
            await user_of(verifier, key.token(**claims))
    with pytest.raises(TokenExpired):
        await user_of(verifier, key.token(exp=int(time.time()) - 35))


async def test_a_public_key_is_no_shared_secret(verifier: TokenVerifier, key: IssuerKey, rsa_key: IssuerKey) -> None:
    claims = {"sub": "ada", "exp": int(time.time()) + 3600, "role": "service_role"}
    for confused in (key, rsa_key):
        for secret in (confused.pem(), json.dumps(confused.jwk()).encode()):
            forged = _signed_with_bytes(claims, secret, kid=confused.key_id)

            with pytest.raises(Unauthenticated):
                await user_of(verifier, forged)


def _signed_with_bytes(claims: dict[str, Any], secret: bytes, **headers: str) -> str:
    """HS256 by hand: a library refuses to take a public key for a secret."""
    parts = [json.dumps({"alg": "HS256", "typ": "JWT", **headers}), json.dumps(claims)]
    signed = ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


async def test_one_key_does_not_sign_for_another(verifier: TokenVerifier, key: IssuerKey, rsa_key: IssuerKey) -> None:
    impostor = IssuerKey(key.key_id)

    for forged in (impostor.token(), key.token(kid=rsa_key.key_id), rsa_key.token(kid=key.key_id)):
        with pytest.raises(Unauthenticated):
            await user_of(verifier, forged)


async def test_a_token_without_a_key_id_is_refused(verifier: TokenVerifier, key: IssuerKey) -> None:
    with pytest.raises(Unauthenticated):
        await user_of(verifier, key.token(kid=""))


async def test_without_an_address_no_public_key_is_accepted(key: IssuerKey) -> None:
    verifier = TokenVerifier(user_secret=USER_SECRET, service_secret=SERVICE_SECRET)

    with pytest.raises(Unauthenticated):
        await user_of(verifier, key.token())


@pytest.mark.parametrize("changes", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "oct", "k": "c2VjcmV0"}], ids=str)
async def test_keys_for_other_purposes_are_passed_over(
    endpoint: JwksEndpoint, clock: Clock, rsa_key: IssuerKey, key: IssuerKey, changes: dict[str, str]
) -> None:
    endpoint.body = json.dumps({"keys": [rsa_key.jwk(**changes), key.jwk()]}).encode()
    keys = PublicKeys(endpoint.url, clock=clock)

    assert (await keys.find(key.key_id)).algorithm_name == "ES256"
    with pytest.raises(Unauthenticated):
        await keys.find(rsa_key.key_id)


async def test_made_up_key_ids_do_not_hammer_the_address(
    verifier: TokenVerifier, endpoint: JwksEndpoint, clock: Clock, key: IssuerKey
) -> None:
    async def attack(number: int) -> None:
        with pytest.raises(Unauthenticated):
            await user_of(verifier, key.token(kid=f"made-up-{number}"))

    for pauses in (1, 2):
        await asyncio.gather(*(attack(number) for number in range(50)))
        for number in range(5):
            await attack(number)
        assert endpoint.asked == pauses
        clock.time += PAUSE


async def test_a_new_key_is_found_when_its_first_token_comes(
    verifier: TokenVerifier, endpoint: JwksEndpoint, clock: Clock, key: IssuerKey
) -> None:
    await user_of(verifier, key.token())
    rotated = IssuerKey("rotated")
    endpoint.publish(key, rotated)

    clock.time += PAUSE

    assert await user_of(verifier, rotated.token(sub="eve")) == "eve"


async def test_a_withdrawn_key_stops_being_accepted(
    verifier: TokenVerifier, endpoint: JwksEndpoint, clock: Clock, key: IssuerKey, rsa_key: IssuerKey
) -> None:
    token = key.token()
    await user_of(verifier, token)
    endpoint.publish(rsa_key)

    clock.time += max(FRESH, REMEMBERED_FOR)
    await user_of(verifier, rsa_key.token())  # nobody waits for the newer keys

    async def refused() -> bool:
        try:
            await user_of(verifier, key.token(jti=str(uuid.uuid4())))  # one that nobody remembers
        except Unauthenticated:
            return True
        return False

    await eventually(refused)
    with pytest.raises(Unauthenticated):
        await user_of(verifier, token)


async def test_an_address_that_is_silent_is_unavailable_in_time(
    verifier: TokenVerifier, endpoint: JwksEndpoint, key: IssuerKey
) -> None:
    endpoint.silent = True

    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*(user_of(verifier, key.token()) for _ in range(20)), return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert endpoint.asked == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("500 Internal Server Error", b"{}"), ("302 Found", b""), ("200 OK", b"<html>"), ("200 OK", b"[]"),
        ("200 OK", b"{}"), ("200 OK", b'{"keys": []}'), ("200 OK", b'{"keys": [1]}'), ("200 OK", b'{"keys": {"a": 1}}'),
    ],
)  # fmt: skip
async def test_an_address_that_answers_nonsense_is_unavailable_until_it_does_not(
    verifier: TokenVerifier, endpoint: JwksEndpoint, clock: Clock, key: IssuerKey, status: str, body: bytes
) -> None:
    right = endpoint.body
    endpoint.status, endpoint.body = status, body
    token = key.token()
    with pytest.raises(Unavailable):
        await user_of(verifier, token)

    endpoint.status, endpoint.body = "200 OK", right
    clock.time += PAUSE_AFTER_FAILURE

    assert await user_of(verifier, token) == "ada"


async def test_an_address_where_nobody_listens_is_unavailable(key: IssuerKey) -> None:
    keys = PublicKeys("http://127.0.0.1:1/jwks.json")

    with pytest.raises(Unavailable):
        await keys.find(key.key_id)


async def test_known_keys_serve_while_the_address_is_away_but_not_for_ever(
    verifier: TokenVerifier, endpoint: JwksEndpoint, clock: Clock, key: IssuerKey
) -> None:
    await user_of(verifier, key.token())
    endpoint.silent = True

    clock.time += FRESH
    async with asyncio.timeout(0.25):  # less than the fetch takes to fail: nobody waits for it
        assert await user_of(verifier, key.token(sub="eve")) == "eve"

    clock.time += KEPT
    with pytest.raises(Unavailable):
        await user_of(verifier, key.token(sub="eve"))
    assert await user_of(verifier, user_token("ada")) == "ada"


async def test_a_key_nobody_knows_is_unavailable_while_the_address_is_away(
    verifier: TokenVerifier, endpoint: JwksEndpoint, clock: Clock, key: IssuerKey
) -> None:
    await user_of(verifier, key.token())
    endpoint.silent = True
    clock.time += PAUSE

    with pytest.raises(Unavailable):
        await user_of(verifier, IssuerKey("perhaps-new").token())


async def test_a_caller_that_leaves_does_not_end_the_fetch_of_others(
    verifier: TokenVerifier, endpoint: JwksEndpoint, key: IssuerKey
) -> None:
    leaving = asyncio.create_task(user_of(verifier, key.token()))
    staying = asyncio.create_task(user_of(verifier, key.token()))
    await asyncio.sleep(0)

    leaving.cancel()

    assert await staying == "ada"
    assert endpoint.asked == 1
    assert leaving.cancelled()
