"""Who gets past the gateway: signature and time of a token, and nothing else of it."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.builders import USER_SECRET, service_token, user_token
from tests.contract.gateway_process import bearer, running_gateway, settings_for
from tests.contract.gateway_services import Running, Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

NO_TOKEN = {"code": "UNAUTHENTICATED", "message": "a valid access token is needed"}
EXPIRED = {"code": "TOKEN_EXPIRED", "message": "the access token has expired"}
UNSIGNED = jwt.encode({"sub": "ada", "exp": int(time.time()) + 600}, "", algorithm="none")
ETERNAL = jwt.encode({"sub": "ada"}, USER_SECRET, algorithm="HS256")
OTHER_ALGORITHM = jwt.encode({"sub": "ada", "exp": int(time.time()) + 600}, USER_SECRET * 2, algorithm="HS512")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": user_token()},
        {"Authorization": "Basic dTpw"},
        {"Cookie": f"access_token={user_token()}"},
        bearer(user_token(secret="another secret, as long as it has to be")),
        bearer(user_token()[:-3] + "abc"),
        bearer(UNSIGNED),
        bearer(ETERNAL),
        bearer(OTHER_ALGORITHM),
        bearer(user_token(nbf=int(time.time()) + 600)),
    ],
)
async def test_no_token_and_a_bad_token_are_401(
    gateway: httpx.AsyncClient, stage: Stage, headers: dict[str, str]
) -> None:
    response = await gateway.get("/api/v1/jobs", headers=headers)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["code"] == 16
    assert response.json()["error"] == NO_TOKEN
    assert stage.calls == []


async def test_a_token_in_the_query_is_not_taken(gateway: httpx.AsyncClient, stage: Stage) -> None:
    response = await gateway.get("/api/v1/jobs", params={"access_token": user_token()})

    assert response.status_code == 401
    assert "access_token" not in str(response.headers)


async def test_an_expired_token_has_a_reason_of_its_own(gateway: httpx.AsyncClient, stage: Stage) -> None:
    response = await gateway.post("/api/v1/generate", json={}, headers=bearer(user_token(lifetime=-60)))

    assert response.status_code == 401
    assert response.json()["error"] == EXPIRED
    assert response.json()["details"][0]["reason"] == "TOKEN_EXPIRED"
    assert stage.calls == []


async def test_clocks_may_be_30_seconds_apart(gateway: httpx.AsyncClient, stage: Stage) -> None:
    within, beyond = [
        await gateway.get("/api/v1/jobs", headers=bearer(user_token(lifetime=seconds))) for seconds in (-20, -40)
    ]

    assert within.status_code == 200
    assert beyond.json()["error"] == EXPIRED


@pytest.mark.parametrize(
    "claims",
    [{}, {"aud": "authenticated", "iss": "https://x.supabase.co/auth/v1"}, {"role": "anon"}, {"type": "refresh"}],
)
async def test_what_else_a_token_claims_is_for_the_services_to_judge(
    gateway: httpx.AsyncClient, stage: Stage, claims: dict[str, Any]
) -> None:
    token = user_token(**claims)

    response = await gateway.get("/api/v1/jobs", headers=bearer(token))

    assert response.status_code == 200
    assert stage.call.metadata["authorization"] == f"Bearer {token}"


async def test_services_pass_and_the_scheme_may_be_lower_case(gateway: httpx.AsyncClient, stage: Stage) -> None:
    service = await gateway.get("/api/v1/jobs", headers=bearer(service_token()))
    lower = await gateway.get("/api/v1/jobs", headers={"Authorization": f"bearer {user_token()}"})

    assert service.status_code == lower.status_code == 200


@pytest.mark.parametrize(
    "path", ["/asset/x", "/api/v1/asset/x", "/files/x", "/healthz", "/readyz", "/openapi.json", "/docs"]
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, bearer(user_token(lifetime=-60))])
async def test_open_calls_do_not_look_at_tokens(
    gateway: httpx.AsyncClient, stage: Stage, path: str, headers: dict[str, str]
) -> None:
    assert (await gateway.get(path, headers=headers)).status_code == 200


async def test_public_keys_and_a_secret_are_accepted_at_once(
    services: dict[str, Running], stage: Stage, tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    supabase = _signed(key)
    forged = _signed(ec.generate_private_key(ec.SECP256R1()))

    async with _keys_of(key) as url, running_gateway(settings_for(services, jwt_jwks_url=url), tmp_path) as client:
        statuses = [
            (await client.get("/api/v1/jobs", headers=bearer(token))).status_code
            for token in (supabase, user_token(), service_token(), forged)
        ]

    assert statuses == [200, 200, 200, 401]


async def test_keys_that_cannot_be_fetched_are_503_and_hurt_nobody_else(
    services: dict[str, Running], stage: Stage, tmp_path: Path
) -> None:
    token = _signed(ec.generate_private_key(ec.SECP256R1()))

    async with running_gateway(settings_for(services, jwt_jwks_url="http://127.0.0.1:1/keys"), tmp_path) as client:
        unknown = await client.get("/api/v1/jobs", headers=bearer(token))
        user = await client.get("/api/v1/jobs", headers=bearer(user_token()))
        expired = await client.get("/api/v1/jobs", headers=bearer(user_token(lifetime=-60)))

    assert unknown.status_code == 503
    assert unknown.json()["error"]["code"] == "UNAVAILABLE"
    assert user.status_code == 200
    assert expired.json()["error"] == EXPIRED


@pytest.mark.parametrize(("trusted", "status"), [(True, 200), (False, 503)])
async def test_public_keys_are_fetched_over_tls_from_whom_the_machine_trusts(
    services: dict[str, Running],
    stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
    status: int,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(tmp_path, "localhost")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async with _keys_of(key, certificate) as url:
        settings = settings_for(services, jwt_jwks_url=url.replace("127.0.0.1", "localhost"))
        async with running_gateway(settings, tmp_path) as client:
            response = await client.get("/api/v1/jobs", headers=bearer(_signed(key)))

    assert response.status_code == status


def _certificate(directory: Path, host: str) -> Path:
    """One file with a key and the certificate that the key made for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = directory / "certificate.pem"
    path.write_bytes(private + builder.sign(key, hashes.SHA256()).public_bytes(pem))
    return path


def _signed(key: ec.EllipticCurvePrivateKey) -> str:
    claims = {"sub": "ada", "aud": "authenticated", "role": "authenticated", "exp": int(time.time()) + 600}
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": "k-1"})


@asynccontextmanager
async def _keys_of(key: ec.EllipticCurvePrivateKey, certificate: Path | None = None) -> AsyncIterator[str]:
    """A server that publishes a key, as Supabase does; with a certificate, over TLS."""
    public: dict[str, Any] = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    body = json.dumps({"keys": [{**public, "kid": "k-1", "alg": "ES256", "use": "sig"}]}).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if certificate else None
    if tls and certificate:
        tls.load_cert_chain(certificate)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
