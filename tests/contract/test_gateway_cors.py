"""What browsers are told, and the request id that comes back."""

from __future__ import annotations

import httpx
import pytest
from google.rpc import code_pb2

from tests.contract.gateway_process import ORIGIN
from tests.contract.gateway_services import Stage, error, refuses

pytestmark = pytest.mark.asyncio(loop_scope="session")

ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}
HEADERS = (
    "Authorization, Content-Type, Accept, Cache-Control, Idempotency-Key, X-CSRF-Token, X-Request-Id, Last-Event-ID"
)
EXPOSED = "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-Id"


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:5173"])
@pytest.mark.parametrize(
    "path", ["/api/v1/generate", "/api/v1/jobs/x/stream", "/files/x", "/asset/x", "/readyz", "/healthz", "/nope"]
)
async def test_a_preflight_needs_no_token_on_any_path(
    gateway: httpx.AsyncClient, stage: Stage, path: str, origin: str
) -> None:
    response = await gateway.options(path, headers={"Origin": origin, **ASKED})

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["access-control-allow-headers"] == HEADERS
    assert response.headers["access-control-allow-methods"] == "GET, POST, PUT, PATCH, DELETE, OPTIONS"
    assert stage.calls == []


@pytest.mark.parametrize(
    "origin", ["https://evil.example.com", "https://app.example.com.evil.com", "http://app.example.com", "null"]
)
async def test_another_origin_is_not_allowed(app: httpx.AsyncClient, stage: Stage, origin: str) -> None:
    preflight = await app.options("/api/v1/generate", headers={"Origin": origin, **ASKED})
    simple = await app.get("/api/v1/jobs", headers={"Origin": origin})

    for response in (preflight, simple):
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/jobs", 200), ("/api/v1/jobs/x", 404), ("/api/v1/jobs?x=1", 400), ("/nope", 404), ("/readyz", 200)],
)
async def test_answers_and_errors_can_be_read_by_the_origin(
    app: httpx.AsyncClient, stage: Stage, path: str, status: int
) -> None:
    stage.answers["GetJob"] = refuses(error(code_pb2.NOT_FOUND, "no job", "JOB_NOT_FOUND"))

    response = await app.get(path, headers={"Origin": ORIGIN})

    assert response.status_code == status
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["access-control-expose-headers"] == EXPOSED
    assert response.headers["vary"] == "Origin"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_missing_token_can_be_read_by_the_origin(gateway: httpx.AsyncClient, stage: Stage) -> None:
    response = await gateway.get("/api/v1/jobs", headers={"Origin": ORIGIN})

    assert response.status_code == 401
    assert response.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/docs"])
async def test_public_pages_can_be_read_by_any_origin(gateway: httpx.AsyncClient, stage: Stage, path: str) -> None:
    response = await gateway.get(path, headers={"Origin": "https://elsewhere.example.com"})

    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("r-1", "r-1"), ("a" * 128, "a" * 128), ("a" * 200, "a" * 128), ("a b\tc", "abc"), ('"q"\\', '"q"\\')],
)
async def test_a_request_id_comes_back_as_far_as_it_is_printable(
    app: httpx.AsyncClient, stage: Stage, given: str, kept: str
) -> None:
    for path in ("/api/v1/jobs", "/nope", "/healthz"):
        assert (await app.get(path, headers={"X-Request-Id": given})).headers["x-request-id"] == kept

    assert stage.call.metadata["x-request-id"] == kept


@pytest.mark.parametrize("headers", [[], [(b"X-Request-Id", b"")], [(b"X-Request-Id", "é".encode())]])
async def test_a_request_without_a_usable_id_gets_one(
    app: httpx.AsyncClient, stage: Stage, headers: list[tuple[bytes, bytes]]
) -> None:
    response = await app.get("/api/v1/jobs", headers=headers)

    assert response.headers["x-request-id"].isascii()
    assert response.headers["x-request-id"] == stage.call.metadata["x-request-id"] != ""


async def test_an_internal_error_names_the_request(app: httpx.AsyncClient, stage: Stage) -> None:
    stage.answers["GetJob"] = refuses(error(code_pb2.DATA_LOSS, "x", ""))

    response = await app.get("/api/v1/jobs/x", headers={"X-Request-Id": '"q"\\'})

    assert response.status_code == 500
    assert response.json()["details"][0]["metadata"] == {"request_id": '"q"\\'}
