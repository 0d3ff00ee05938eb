"""Every REST call of the contract: where it goes, and what its answer looks like, to the letter."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from google.api import annotations_pb2, httpbody_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from streamerstudio.generation.v1 import job_pb2
from streamerstudio.prompt.v1 import brand_kit_pb2
from streamerstudio.storage.v1 import asset_pb2
from streamerstudio.type.v1 import asset_type_pb2
from tests.builders import service_token, user_token
from tests.contract.gateway_process import bearer
from tests.contract.gateway_services import SERVICES, Stage, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID = "4f0c9f3e-8a43-4c79-9f3a-0a8d1f6b2c11"
TIME = Timestamp(seconds=1767261600)


def asset() -> asset_pb2.Asset:
    return asset_pb2.Asset(
        id=ID, job_id=ID, user_id="u", asset_type=asset_type_pb2.thumbnail, url="https://x", width=1280, height=720,
        file_size=123456, created_at=TIME,
    )  # fmt: skip


def job(**others: object) -> job_pb2.Job:
    given = {"id": ID, "user_id": "u", "brand_kit_id": ID, "asset_type": "thumbnail", "status": "queued", "count": 1}
    return job_pb2.Job(**{**given, "created_at": TIME, "updated_at": TIME, **others})  # type: ignore[arg-type]


ASSET = {
    "id": ID, "job_id": ID, "user_id": "u", "asset_type": "thumbnail", "url": "https://x", "width": 1280, "height": 720,
    "file_size": 123456, "is_public": False, "created_at": "2026-01-01T10:00:00Z",
}  # fmt: skip
JOB = {
    "id": ID, "user_id": "u", "brand_kit_id": ID, "asset_type": "thumbnail", "status": "queued", "progress": 0,
    "created_at": "2026-01-01T10:00:00Z", "updated_at": "2026-01-01T10:00:00Z", "count": 1,
}  # fmt: skip


def calls() -> Iterator[tuple[str, str, str, str]]:
    """Service, method, HTTP method and path of everything the protos annotate."""
    for service, parts in SERVICES.items():
        for descriptor, _ in parts:
            for method in descriptor.methods:
                rule = method.GetOptions().Extensions[annotations_pb2.http]
                for binding in (rule, *rule.additional_bindings):
                    verb = binding.WhichOneof("pattern")
                    if verb:
                        yield service, method.name, verb.upper(), re.sub(r"{[^}]+}", ID, getattr(binding, verb))


@pytest.mark.parametrize(("service", "method", "verb", "path"), list(calls()))
async def test_every_annotated_call_reaches_its_method(
    app: httpx.AsyncClient, stage: Stage, service: str, method: str, verb: str, path: str
) -> None:
    response = await app.request(verb, path)

    # What reads a stream to its end has no say in the status; its route has.
    assert response.status_code == (201 if method == "UploadImage" else 200)
    assert (stage.call.service, stage.call.method) == (service, method)


async def test_a_created_job_is_201_and_prints_every_field_that_is_not_optional(
    app: httpx.AsyncClient, stage: Stage
) -> None:
    stage.answers["CreateJob"] = says(job(), metadata=[("x-http-code", "201")])

    response = await app.post("/api/v1/generate", json={"asset_type": "thumbnail", "count": 1})

    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json"
    assert "x-http-code" not in response.headers
    assert response.json() == JOB


async def test_a_failed_job_prints_its_error_and_its_end(app: httpx.AsyncClient, stage: Stage) -> None:
    failed = job(
        status="failed", error_message="No.", completed_at=TIME,
        error={"reason": "CONTENT_POLICY", "stage": "render", "retryable": False},
    )  # fmt: skip
    stage.answers["ListJobs"] = says(job_pb2.JobList(jobs=[failed], total=1, limit=20))

    response = await app.get("/api/v1/jobs")

    assert response.json() == {
        "jobs": [
            {
                **JOB,
                "status": "failed",
                "error_message": "No.",
                "completed_at": "2026-01-01T10:00:00Z",
                "error": {"reason": "CONTENT_POLICY", "stage": "render", "retryable": False},
            }
        ],
        "total": 1,
        "limit": 20,
        "offset": 0,
    }


async def test_the_assets_of_a_job_are_a_bare_array(app: httpx.AsyncClient, stage: Stage) -> None:
    stage.answers["GetJobAssets"] = says(asset(), asset())

    response = await app.get(f"/api/v1/jobs/{ID}/assets")

    assert response.headers["content-type"] == "application/json"
    assert response.json() == [ASSET, ASSET]


async def test_a_job_without_assets_has_an_empty_array(app: httpx.AsyncClient, stage: Stage) -> None:
    stage.answers["GetJobAssets"] = says()

    assert (await app.get(f"/api/v1/jobs/{ID}/assets")).text == "[]"


async def test_a_deletion_is_204_and_empty(app: httpx.AsyncClient, stage: Stage) -> None:
    stage.answers["DeleteAsset"] = says(asset_pb2.Asset(), metadata=[("x-http-code", "204")])

    response = await app.delete(f"/api/v1/assets/{ID}")
    again = await app.delete(f"/api/v1/assets/{ID}")

    for each in (response, again):
        assert each.status_code == 204
        assert each.content == b""
        assert not {"content-type", "content-length", "transfer-encoding"} & set(each.headers)


async def test_a_brand_kit_prints_its_empty_lists_and_leaves_out_what_is_not_there(
    app: httpx.AsyncClient, stage: Stage
) -> None:
    stage.answers["GetActiveBrandKit"] = says(brand_kit_pb2.BrandKit(id=ID, tone=brand_kit_pb2.casual))

    response = await app.get("/api/v1/brand-kits/active")

    assert response.json() == {
        "id": ID, "user_id": "", "name": "", "is_active": False, "primary_colors": [], "accent_colors": [],
        "tone": "casual", "style_reference": "",
    }  # fmt: skip


async def test_fields_nobody_knows_are_ignored_in_bodies(app: httpx.AsyncClient, stage: Stage) -> None:
    body = {"asset_type": "banner", "custom_prompt": "hello", "mood": {"a": [1, None]}, "twitch": None}

    response = await app.post("/api/v1/generate", json=body)

    assert response.status_code == 200
    assert stage.call.request.asset_type == asset_type_pb2.banner
    assert stage.call.request.custom_prompt == "hello"


async def test_an_update_tells_absent_and_null_from_empty(app: httpx.AsyncClient, stage: Stage) -> None:
    body: dict[str, object] = {"name": None, "accent_colors": [], "logo_url": "", "fonts": {"headline": "Inter"}}

    await app.put(f"/api/v1/brand-kits/{ID}", json=body)

    request = stage.call.request
    assert request.brand_kit_id == ID
    assert {field.name for field, _ in request.ListFields()} == {"brand_kit_id", "accent_colors", "fonts", "logo_url"}
    assert not request.fonts.HasField("body")


async def test_a_body_may_repeat_the_id_of_the_path(app: httpx.AsyncClient, stage: Stage) -> None:
    response = await app.patch(f"/api/v1/assets/{ID}/visibility", json={"asset_id": ID, "is_public": False})

    assert response.status_code == 200
    assert stage.call.request.asset_id == ID
    assert stage.call.request.is_public is False


async def test_a_call_without_a_body_may_be_posted_empty(app: httpx.AsyncClient, stage: Stage) -> None:
    assert (await app.post(f"/api/v1/brand-kits/{ID}/activate")).status_code == 200
    assert stage.call.request.brand_kit_id == ID


async def test_the_query_and_the_path_become_fields(app: httpx.AsyncClient, stage: Stage) -> None:
    await app.get("/api/v1/assets", params={"asset_type": "a b+c/ü", "limit": "5", "offset": "0"})

    request = stage.call.request
    assert (request.asset_type, request.limit, request.HasField("offset")) == ("a b+c/ü", 5, True)


async def test_headers_reach_the_service_as_metadata(app: httpx.AsyncClient, stage: Stage) -> None:
    token = user_token()

    await app.post(
        "/api/v1/generate",
        json={},
        headers={"Idempotency-Key": "k 1", "Last-Event-ID": "7", "X-Request-Id": "r-1", **bearer(token)},
    )

    expected = {"idempotency-key": "k 1", "last-event-id": "7", "x-request-id": "r-1"}
    assert stage.call.metadata.items() >= (expected | {"authorization": f"Bearer {token}"}).items()


async def test_a_service_may_call_through_rest(gateway: httpx.AsyncClient, stage: Stage) -> None:
    assert (await gateway.get("/api/v1/jobs", headers=bearer(service_token()))).status_code == 200


@pytest.mark.parametrize("path", ["/asset/" + ID, "/api/v1/asset/" + ID, "/files/a/b.png?token=t"])
async def test_pictures_come_as_they_are_to_anybody(gateway: httpx.AsyncClient, stage: Stage, path: str) -> None:
    picture = bytes(range(256)) * 12_000
    chunks = [picture[at : at + 1_000_000] for at in range(0, len(picture), 1_000_000)]
    first, *rest = chunks
    body = httpbody_pb2.HttpBody(content_type="image/png", data=first)
    parts = [body, *(httpbody_pb2.HttpBody(data=chunk) for chunk in rest)]
    for method in ("GetFile", "GetSharedAsset"):
        stage.answers[method] = says(*parts, metadata=[("cache-control", "no-cache")])

    response = await gateway.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    assert response.headers["cache-control"] == "no-cache"
    assert response.content == picture


async def test_a_files_path_and_token_become_fields(gateway: httpx.AsyncClient, stage: Stage) -> None:
    stage.answers["GetFile"] = says(httpbody_pb2.HttpBody(content_type="image/png", data=b"x"))

    await gateway.get("/files/private/ab-1.png?token=x.y")

    assert (stage.call.request.path, stage.call.request.token) == ("private/ab-1.png", "x.y")
