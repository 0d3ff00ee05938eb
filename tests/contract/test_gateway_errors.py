"""What becomes of the services' errors on their way to an app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2

from streamerstudio.generation.v1 import job_pb2
from streamerstudio.storage.v1 import asset_pb2
from tests.builders import user_token
from tests.contract.gateway_process import bearer, running_gateway, settings_for
from tests.contract.gateway_services import Context, Running, Stage, error, hangs, refuses, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

WATCH = "/api/v1/jobs/x/stream"
INFO = "type.googleapis.com/google.rpc.ErrorInfo"


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        (code_pb2.INVALID_ARGUMENT, 400, "INVALID_REQUEST"),
        (code_pb2.FAILED_PRECONDITION, 400, "BRAND_KIT_LIMIT"),
        (code_pb2.UNAUTHENTICATED, 401, "TOKEN_EXPIRED"),
        (code_pb2.PERMISSION_DENIED, 403, "NOT_OWNER"),
        (code_pb2.NOT_FOUND, 404, "JOB_NOT_FOUND"),
        (code_pb2.ALREADY_EXISTS, 409, "IDEMPOTENCY_KEY_REUSED"),
        (code_pb2.RESOURCE_EXHAUSTED, 429, "RATE_LIMIT"),
        (code_pb2.INTERNAL, 500, "INTERNAL"),
        (code_pb2.UNAVAILABLE, 503, "UNAVAILABLE"),
    ],
)
async def test_an_error_keeps_its_words_and_gets_its_status(
    app: httpx.AsyncClient, stage: Stage, code: int, status: int, reason: str
) -> None:
    message = 'he said "no}" \\ and left — {"error":{"code": 1}} ü'
    stage.answers["CreateJob"] = refuses(error(code, message, reason, job_id="j-1"))

    response = await app.post("/api/v1/generate", json={})

    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "code": code,
        "message": message,
        "details": [{"@type": INFO, "reason": reason, "domain": "streamerstudio", "metadata": {"job_id": "j-1"}}],
        "error": {"code": reason, "message": message},
    }
    assert not [name for name in response.headers if name.startswith(("grpc-", "x-envoy-", "server"))]


async def test_a_token_that_only_a_service_refuses_asks_for_another_as_well(
    app: httpx.AsyncClient, stage: Stage
) -> None:
    stage.answers["ListJobs"] = refuses(error(code_pb2.UNAUTHENTICATED, "a refresh token", "UNAUTHENTICATED"))

    response = await app.get("/api/v1/jobs")

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


async def test_details_beside_the_reason_and_headers_sent_first_arrive(app: httpx.AsyncClient, stage: Stage) -> None:
    wait = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=3))
    limited = error(code_pb2.RESOURCE_EXHAUSTED, "too many", "GENERATION_LIMIT_EXCEEDED", wait)
    stage.answers["CreateJob"] = refuses(limited, metadata=[("retry-after", "3"), ("ratelimit-remaining", "0")])

    response = await app.post("/api/v1/generate", json={})

    assert response.status_code == 429
    assert response.headers["retry-after"] == "3"
    assert response.headers["ratelimit-remaining"] == "0"
    assert response.json()["details"][1]["retry_delay"] == "3s"


async def test_field_violations_arrive(app: httpx.AsyncClient, stage: Stage) -> None:
    bad = error_details_pb2.BadRequest()
    for number in range(16):
        bad.field_violations.add(field=f"field_{number}", description="a sentence that is not a short one " * 10)
    stage.answers["CreateBrandKit"] = refuses(error(code_pb2.INVALID_ARGUMENT, "bad", "INVALID_REQUEST", bad))

    response = await app.post("/api/v1/brand-kits", json={})

    assert response.status_code == 400
    assert len(response.json()["details"][1]["field_violations"]) == 16


@pytest.mark.parametrize("path", ["/api/v1/jobs/x/stream", "/api/v1/jobs/x/assets", "/files/x", "/asset/x"])
async def test_a_stream_that_fails_at_once_has_the_errors_status(
    app: httpx.AsyncClient, stage: Stage, path: str
) -> None:
    for method in ("WatchJob", "GetJobAssets", "GetFile", "GetSharedAsset"):
        stage.answers[method] = refuses(error(code_pb2.NOT_FOUND, "no such thing", "ASSET_NOT_FOUND"))

    response = await app.get(path)

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"] == {"code": "ASSET_NOT_FOUND", "message": "no such thing"}


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        (grpc.StatusCode.UNAVAILABLE, 503, "UNAVAILABLE"),
        (grpc.StatusCode.UNKNOWN, 502, "INTERNAL"),
        (grpc.StatusCode.INTERNAL, 500, "INTERNAL"),
        (grpc.StatusCode.UNIMPLEMENTED, 500, "INTERNAL"),
        (grpc.StatusCode.DATA_LOSS, 500, "INTERNAL"),
        (grpc.StatusCode.CANCELLED, 502, "INTERNAL"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 429, "RATE_LIMIT"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 504, "DEADLINE_EXCEEDED"),
    ],
)
@pytest.mark.parametrize("metadata", [(), (("retry-after", "1"),)])
async def test_an_error_that_was_not_written_for_callers_is_not_shown(
    app: httpx.AsyncClient, stage: Stage, code: grpc.StatusCode, status: int, reason: str, metadata: Any
) -> None:
    async def leaks(request: Any, context: Context) -> AsyncIterator[Message]:
        if metadata:
            await context.send_initial_metadata(metadata)
        await context.abort(code, "SELECT secret FROM /etc/passwd")
        yield asset_pb2.Asset()

    stage.answers["DeleteAsset"] = leaks

    response = await app.delete("/api/v1/assets/x", headers={"x-request-id": "r-7"})

    body = response.json()
    assert response.status_code == status
    assert "secret" not in response.text
    assert body["error"] == {"code": reason, "message": body["message"]}
    assert body["details"][0]["reason"] == reason
    assert body["details"][0]["metadata"] == ({"request_id": "r-7"} if reason == "INTERNAL" else {})


@pytest.mark.parametrize("code", [grpc.StatusCode.UNKNOWN, grpc.StatusCode.CANCELLED])
async def test_a_read_that_meets_a_service_which_stops_is_asked_again(
    app: httpx.AsyncClient, stage: Stage, code: grpc.StatusCode
) -> None:
    asked = 0

    async def stops(request: Any, context: Context) -> AsyncIterator[Message]:
        nonlocal asked
        asked += 1
        if asked == 1:
            await context.abort(code)
        yield job_pb2.JobWithAssets(id="4f0c")

    stage.answers["GetJob"] = stops

    response = await app.get("/api/v1/jobs/x")

    assert (response.status_code, response.json()["id"], asked) == (200, "4f0c", 2)


async def test_a_read_that_meets_only_services_which_stop_may_be_repeated(app: httpx.AsyncClient, stage: Stage) -> None:
    async def stops(request: Any, context: Context) -> AsyncIterator[Message]:
        await context.abort(grpc.StatusCode.UNKNOWN)
        yield job_pb2.JobWithAssets()

    stage.answers["GetJob"] = stops

    response = await app.get("/api/v1/jobs/x")

    assert (response.status_code, response.json()["error"]["code"]) == (503, "UNAVAILABLE")


async def test_a_service_can_only_ask_for_a_success_it_may_have(app: httpx.AsyncClient, stage: Stage) -> None:
    stage.answers["DeleteAsset"] = says(asset_pb2.Asset(), metadata=[("x-http-code", "302")])

    response = await app.delete("/api/v1/assets/x")

    assert response.status_code == 200
    assert "x-http-code" not in response.headers


async def test_a_service_that_does_not_answer_in_time_is_504(
    services: dict[str, Running], stage: Stage, tmp_path: Path
) -> None:
    stage.answers = dict.fromkeys(("GetAsset", "DeleteAsset", "GetFile", "WatchJob"), hangs)
    calls = [("GET", "/api/v1/assets/x"), ("DELETE", "/api/v1/assets/x"), ("GET", "/files/x"), ("GET", WATCH)]

    async with running_gateway(settings_for(services), tmp_path, _impatient) as client:
        responses = [await client.request(*call, headers=bearer(user_token())) for call in calls]

    for response in responses:
        assert response.status_code == 504
        assert response.json()["code"] == code_pb2.DEADLINE_EXCEEDED
        assert response.json()["error"]["code"] == "DEADLINE_EXCEEDED"


def _impatient(config: dict[str, Any]) -> None:
    """A tenth of a second where there is a limit, and three without a byte where there is none."""
    [listener] = config["static_resources"]["listeners"]
    [filters] = listener["filter_chains"]
    manager = filters["filters"][0]["typed_config"]
    manager["stream_idle_timeout"] = "0.3s"
    [host] = manager["route_config"]["virtual_hosts"]
    for route in host["routes"]:
        if route.get("route", {}).get("timeout", "0s") != "0s":
            route["route"]["timeout"] = "0.1s"
