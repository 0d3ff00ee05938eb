"""The API written down: every call is in it, and it is what the gateway serves."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.openapi import openapi, write_documents
from gateway.reference.curl import curl
from gateway.settings import GEN
from streamerstudio.error.v1 import error_reason_pb2
from tests.contract.gateway_services import Stage
from tests.contract.test_gateway_calls import calls

OPEN = {"/files/{path}", "/asset/{asset_id}", "/api/v1/asset/{asset_id}", "/healthz", "/readyz"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi((GEN / "api.binpb").read_bytes())


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(verb, path): each for path, verbs in document["paths"].items() for verb, each in verbs.items()}


def test_every_call_of_the_protos_is_written_down_once(document: dict[str, Any]) -> None:
    written = operations(document)
    names = [each["operationId"] for each in written.values() if "operationId" in each]

    assert len([name for name in names if name.rstrip("2")]) == len(list(calls()))
    assert len(set(names)) == len(names)
    assert {method for _, method, _, _ in calls()} == {name.removesuffix("2") for name in names}


def test_what_is_open_says_so_and_everything_else_wants_a_token(document: dict[str, Any]) -> None:
    assert {path for (_, path), each in operations(document).items() if each.get("security") == []} == OPEN
    for (_, path), each in operations(document).items():
        assert ("401" in each["responses"]) == (path not in OPEN)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))

    for reference in references:
        found: Any = document
        for part in reference.split("/"):
            found = found[part]
        assert found


def test_field_rules_of_the_protos_are_limits_of_the_document(document: dict[str, Any]) -> None:
    body = document["paths"]["/api/v1/generate"]["post"]["requestBody"]
    fields = body["content"]["application/json"]["schema"]

    assert body["required"] and fields["required"] == ["asset_type"]
    assert fields["properties"]["brand_kit_id"]["format"] == "uuid"
    assert fields["properties"]["custom_prompt"]["maxLength"] == 500
    assert (fields["properties"]["count"]["minimum"], fields["properties"]["count"]["maximum"]) == (1, 4)
    kit = document["paths"]["/api/v1/brand-kits"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert kit["required"] == ["name", "primary_colors", "fonts"]
    assert kit["properties"]["primary_colors"]["maxItems"] == 5
    assert kit["properties"]["primary_colors"]["items"]["pattern"] == "^#[0-9A-Fa-f]{6}$"


def test_a_picture_is_uploaded_as_its_bytes(document: dict[str, Any]) -> None:
    upload = document["paths"]["/api/v1/uploads"]["post"]

    assert upload["requestBody"] == {"required": True, "content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}}}
    assert "413" in upload["responses"] and "HttpBody" not in document["components"]["schemas"]
    assert "--data-binary @picture.png" in curl(document, "/api/v1/uploads", "post", upload)


def test_answers_say_what_is_always_there(document: dict[str, Any]) -> None:
    job = document["components"]["schemas"]["Job"]

    assert {"id", "status", "progress", "count"} <= set(job["required"])
    assert not {"error_message", "completed_at", "error"} & set(job["required"])
    assert document["components"]["schemas"]["JobStatus"]["enum"] == [
        "queued", "processing", "completed", "failed", "partial",
    ]  # fmt: skip
    assert job["properties"]["created_at"]["format"] == "date-time"


def test_successes_have_the_statuses_of_the_contract(document: dict[str, Any]) -> None:
    successes = {
        each["operationId"]: [status for status in each["responses"] if status < "300"]
        for each in operations(document).values()
        if "operationId" in each
    }

    assert successes["CreateJob"] == successes["CreateBrandKit"] == successes["UploadImage"] == ["201"]
    assert successes["DeleteAsset"] == successes["DeleteBrandKit"] == successes["DeleteUpload"] == ["204"]
    assert successes["GetActiveBrandKit"] == ["200", "204"]
    assert successes["GetJob"] == ["200"]


def test_every_reason_of_an_error_is_in_the_document(document: dict[str, Any]) -> None:
    error = document["components"]["schemas"]["Error"]["properties"]["error"]

    known = set(error_reason_pb2.ErrorReason.keys()) - {"ERROR_REASON_UNSPECIFIED"}
    assert set(error["properties"]["code"]["enum"]) == known


def test_the_same_protos_make_the_same_documents(tmp_path: Path) -> None:
    (tmp_path / "api.binpb").write_bytes((GEN / "api.binpb").read_bytes())

    write_documents(tmp_path)

    for name in ("openapi.json", "docs.html"):
        assert (tmp_path / name).read_bytes() == (GEN / name).read_bytes()


@pytest.mark.asyncio(loop_scope="session")
async def test_the_gateway_serves_the_document(
    gateway: httpx.AsyncClient, stage: Stage, document: dict[str, Any]
) -> None:
    response = await gateway.get("/openapi.json")

    assert response.headers["content-type"] == "application/json"
    assert response.json() == document


class _Page(HTMLParser):
    """Collects what a page links to, what it can be linked by, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src"):
                self.links.add(value or "")
            elif name == "id":
                self.anchors.add(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.asyncio(loop_scope="session")
async def test_the_page_shows_every_call_and_needs_nothing_from_elsewhere(
    gateway: httpx.AsyncClient, stage: Stage, document: dict[str, Any]
) -> None:
    response = await gateway.get("/docs")
    page = _Page(response.text)

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    for path in document["paths"]:
        assert f"$STUDIO{path.split('{')[0]}" in page.text
    assert {link.removeprefix("#") for link in page.links - {"/openapi.json"}} <= page.anchors
    assert "<script" not in response.text
