"""What the gateway refuses by itself: the one shape, and none of Envoy's words."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from gateway.refusals import CASES
from streamerstudio.error.v1 import error_reason_pb2
from tests.contract.gateway_services import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENVOY_WORDS = ("envoy", "upstream", "transcod", "type.googleapis.com/streamerstudio", "TYPE_", "127.0.0.1", "flag")
LIMIT = 64 * 1024


def shaped(code: int, reason: str, message: str) -> dict[str, Any]:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "streamerstudio"}
    return {
        "code": code,
        "message": message,
        "details": [{**info, "metadata": {}}],
        "error": {"code": reason, "message": message},
    }


def assert_refused(response: httpx.Response, status: int, body: dict[str, Any]) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json() == body
    text = response.text.replace("google.rpc", "")
    assert not [word for word in ENVOY_WORDS if word in text]


NO_SUCH_CALL = shaped(5, "ROUTE_NOT_FOUND", "there is no such call")


def invalid(message: str) -> dict[str, Any]:
    return shaped(3, "INVALID_REQUEST", message)


async def test_every_reason_of_a_refusal_is_in_the_catalogue() -> None:
    assert {case.refusal.reason for case in CASES} <= set(error_reason_pb2.ErrorReason.keys())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"), ("GET", "/nope"), ("GET", "/api/v1/nope"), ("GET", "/api/v2/jobs"), ("POST", "/healthz"),
        ("POST", "/readyz"), ("DELETE", "/docs"), ("GET", "/files/"), ("GET", "//api/v1/jobs"),
        ("GET", "/streamerstudio.generation.v1.GenerationService/GetJob"), ("TRACE", "/api/v2"), ("GET", "/asset/a/b"),
    ],
)  # fmt: skip
async def test_what_is_no_call_is_404_without_a_token(
    gateway: httpx.AsyncClient, stage: Stage, method: str, path: str
) -> None:
    assert_refused(await gateway.request(method, path), 404, NO_SUCH_CALL)
    assert stage.calls == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/jobs"), ("DELETE", "/api/v1/jobs/x"), ("GET", "/api/v1/generate"), ("HEAD", "/api/v1/jobs"),
        ("GET", "/api/v1/templates/a/b/c"), ("POST", "/api/v1/assets"), ("POST", "/api/v1/jobs/x:explode"),
        ("OPTIONS", "/api/v1/generate"),
    ],
)  # fmt: skip
async def test_a_wrong_method_is_404_as_well(app: httpx.AsyncClient, stage: Stage, method: str, path: str) -> None:
    response = await app.request(method, path)

    assert response.status_code == 404
    assert response.content == b"" if method == "HEAD" else response.json() == NO_SUCH_CALL
    assert stage.calls == []


async def test_dots_in_a_path_do_not_lead_past_the_token(gateway: httpx.AsyncClient, stage: Stage) -> None:
    request = b"GET /files/../api/v1/jobs HTTP/1.1\r\nhost: x\r\n\r\n"

    assert (await raw(gateway, request)).startswith(b"HTTP/1.1 401 ")
    assert stage.calls == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("status=", "status: is not a value this field takes"),
        ("status=QUEUED", "status: is not a value this field takes"),
        ("status=%22Cannot+set+%27evil%27+for+type+oneof", "status: is not a value this field takes"),
        ("limit=abc", "limit: must be a whole number"),
        ("limit=", "limit: must be a whole number"),
        ("limit=1.5", "limit: must be a whole number"),
        ("limit=99999999999", "limit: must be a whole number"),
        ("limit=1&limit=2", "limit: is given twice"),
        ("page=2", "page: there is no such parameter"),
        ("access_token=abc", "access_token: there is no such parameter"),
        ("%22%3Cscript%3E=1", "the query has a parameter that this call does not know"),
        ("status=%e0%c2%a0%a0%a0", "the request cannot be understood"),
        ("status=%ff", "the request cannot be understood"),
    ],
)
async def test_a_bad_query_is_400_and_names_the_field(
    app: httpx.AsyncClient, stage: Stage, query: str, message: str
) -> None:
    assert_refused(await app.get(f"/api/v1/jobs?{query}"), 400, invalid(message))
    assert stage.calls == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "the body is not JSON"),
        ("asset_type=banner", "the body is not JSON"),
        ('{"name":"a"} trailing', "the body is not JSON"),
        ('{"name":"\\ud800"}', "the body is not JSON"),
        ("[]", "the body must be a JSON object"),
        ("null", "the body must be a JSON object"),
        ('{"tone":"angry"}', "tone: is not a value this field takes"),
        ('{"tone":""}', "tone: is not a value this field takes"),
        ('{"tone":"say \\" and Cannot set \'x\' for type oneof"}', "tone: is not a value this field takes"),
        ('{"tone":"casual","tone":"casual"}', "tone: is given twice"),
        ('{"name":5}', "name: must be a string"),
        ('{"name":{}}', "name: must not be an object"),
        ('{"name":[]}', "a list stands where this call takes one value"),
        ('{"primary_colors":["#FF0055",7]}', "primary_colors: must be a string"),
        ('{"primary_colors":[{}]}', "primary_colors: must not hold an object"),
        ('{"fonts":"Inter"}', "fonts: is not a value this field takes"),
        ('{"fonts":{"headline":1}}', "fonts.headline: must be a string"),
    ],
)
async def test_a_bad_body_is_400_and_names_the_field(
    app: httpx.AsyncClient, stage: Stage, body: str, message: str
) -> None:
    assert_refused(await app.post("/api/v1/brand-kits", content=body), 400, invalid(message))
    assert stage.calls == []


async def test_a_bad_number_or_truth_value_is_named(app: httpx.AsyncClient, stage: Stage) -> None:
    count = await app.post("/api/v1/generate", json={"asset_type": "banner", "count": "many"})
    visibility = await app.put("/api/v1/assets/x/visibility", json={"is_public": "perhaps"})

    assert_refused(count, 400, invalid("count: must be a whole number"))
    assert_refused(visibility, 400, invalid("is_public: must be true or false"))


async def test_a_body_that_contradicts_the_path_is_400(app: httpx.AsyncClient, stage: Stage) -> None:
    response = await app.put("/api/v1/brand-kits/one", json={"brand_kit_id": "two"})

    assert_refused(response, 400, invalid("brand_kit_id: the path and the body do not agree"))


async def test_a_body_of_64_kib_passes_and_one_byte_more_is_413(app: httpx.AsyncClient, stage: Stage) -> None:
    def body(size: int) -> bytes:
        return json.dumps({"custom_prompt": ""}).encode().ljust(size)

    fits = await app.post("/api/v1/generate", content=body(LIMIT))
    too_large = await app.post("/api/v1/generate", content=body(LIMIT + 1))

    assert fits.status_code == 200
    assert_refused(too_large, 413, shaped(8, "REQUEST_TOO_LARGE", "the body is over 64 KiB"))
    assert len(stage.calls) == 1


async def test_a_body_that_grows_past_the_limit_never_reaches_a_service(app: httpx.AsyncClient, stage: Stage) -> None:
    async def parts() -> Any:
        yield b'{"asset_type": "banner"}'
        for _ in range(80):
            yield b" " * 1024

    assert (await app.post("/api/v1/generate", content=parts())).status_code == 413
    assert stage.calls == []


async def test_a_header_too_large_is_431(gateway: httpx.AsyncClient, stage: Stage) -> None:
    response = await gateway.get("/api/v1/jobs", headers={"x-large": "a" * 70_000})

    assert_refused(response, 431, invalid("the headers are too large"))


@pytest.mark.parametrize(
    ("request_line", "status", "code"),
    [
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400, 3),
        (b"BREW /healthz HTTP/1.1\r\nhost: x\r\n\r\n", 400, 3),
        (b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n", 400, 3),
        (b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n", 400, 3),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n", 400, 3),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: odd\r\n\r\n", 400, 3),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 426, 3),
        (b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", 404, 5),
        (b"CONNECT x:80 HTTP/1.1\r\nhost: x:80\r\n\r\n", 404, 5),
    ],
)
async def test_what_is_hardly_http_is_refused_in_the_one_shape_too(
    gateway: httpx.AsyncClient, stage: Stage, request_line: bytes, status: int, code: int
) -> None:
    head, _, body = (await raw(gateway, request_line)).partition(b"\r\n\r\n")

    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    answer = json.loads(body)
    assert answer == shaped(code, answer["error"]["code"], answer["message"])


async def raw(gateway: httpx.AsyncClient, request: bytes) -> bytes:
    """What comes back for these very bytes: the head and the body it announces."""
    reader, writer = await asyncio.open_connection(gateway.base_url.host, gateway.base_url.port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    [length] = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length")]
    body = await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()
    return head + body
