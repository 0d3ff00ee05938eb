"""The table of errors on the whole system: for each call nobody, somebody else, nothing there, and no id at all."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.apps import create_kit, finished, generate

SignIn = Callable[[], httpx.AsyncClient]
INFO = "type.googleapis.com/google.rpc.ErrorInfo"
INSIDE = re.compile(r"127\.0\.0\.1|localhost|envoy|upstream|cluster|transcod|sqlite|Traceback|\.py\b", re.IGNORECASE)
CALLS = (
    ("GET", "/api/v1/jobs/{job}", None),
    ("GET", "/api/v1/jobs/{job}/assets", None),
    ("GET", "/api/v1/jobs/{job}/stream", None),
    ("GET", "/api/v1/assets/{asset}", None),
    ("PUT", "/api/v1/assets/{asset}/visibility", {"is_public": True}),
    ("PATCH", "/api/v1/assets/{asset}/visibility", {"is_public": True}),
    ("DELETE", "/api/v1/assets/{asset}", None),
    ("GET", "/api/v1/brand-kits/{brand_kit}", None),
    ("PUT", "/api/v1/brand-kits/{brand_kit}", {"name": "Mine now"}),
    ("POST", "/api/v1/brand-kits/{brand_kit}/activate", None),
    ("DELETE", "/api/v1/brand-kits/{brand_kit}", None),
    ("POST", "/api/v1/generate", {"asset_type": "banner", "brand_kit_id": "{brand_kit}"}),
    ("POST", "/api/v1/prompts:preview", {"asset_type": "banner", "brand_kit_id": "{brand_kit}"}),
)


@pytest.fixture
async def owner(sign_in: SignIn) -> tuple[httpx.AsyncClient, dict[str, str]]:
    """An app whose user has one of each, and their ids."""
    client = sign_in()
    kit = await create_kit(client)
    job = await finished(client, (await generate(client, kit["id"], "banner"))["id"])
    return client, {"job": job["id"], "asset": job["assets"][0]["id"], "brand_kit": kit["id"]}


async def ask_all(client: httpx.AsyncClient, ids: dict[str, str]) -> list[tuple[str, httpx.Response]]:
    """Every call about the things of these ids, by the thing it is about."""
    answers = []
    for method, path, body in CALLS:
        filled = {
            name: str(value).format(**ids) if name == "brand_kit_id" else value for name, value in (body or {}).items()
        }
        thing = next(name for name in ids if f"{{{name}}}" in f"{path}{body}")
        answers.append((thing, await client.request(method, path.format(**ids), json=filled if body else None)))
    return answers


def assert_refused(response: httpx.Response, status: int, reason: str) -> None:
    answer: Any = response.json()
    assert (response.status_code, answer["error"]["code"]) == (status, reason), response.request.url
    assert set(answer) == {"code", "message", "details", "error"}
    assert answer["error"] == {"code": reason, "message": answer["message"]}
    assert (answer["details"][0]["@type"], answer["details"][0]["reason"]) == (INFO, reason)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    assert not INSIDE.search(response.text)
    assert not [name for name in response.headers if re.search("grpc|envoy|server|x-http-code", name)]


async def test_somebody_elses_things_are_403_and_stay_as_they_are(
    owner: tuple[httpx.AsyncClient, dict[str, str]], sign_in: SignIn
) -> None:
    client, ids = owner

    for _, response in await ask_all(sign_in(), ids):
        assert_refused(response, 403, "NOT_OWNER")

    kit = (await client.get(f"/api/v1/brand-kits/{ids['brand_kit']}")).json()
    asset = (await client.get(f"/api/v1/assets/{ids['asset']}")).json()
    assert (kit["name"], kit["is_active"], asset["is_public"]) == ("Gaming Stream Kit", False, False)


async def test_without_a_token_everything_is_401(owner: tuple[httpx.AsyncClient, dict[str, str]]) -> None:
    client, ids = owner

    async with httpx.AsyncClient(base_url=client.base_url, trust_env=False) as nobody:
        for _, response in await ask_all(nobody, ids):
            assert_refused(response, 401, "UNAUTHENTICATED")
            assert response.headers["www-authenticate"] == "Bearer"


async def test_what_is_not_there_is_404_by_its_name(client: httpx.AsyncClient) -> None:
    ids = {name: str(uuid.uuid4()) for name in ("job", "asset", "brand_kit")}

    for thing, response in await ask_all(client, ids):
        assert_refused(response, 404, f"{thing.upper()}_NOT_FOUND")
        assert ids[thing] in response.json()["message"]


async def test_what_is_no_id_is_400_and_names_the_field(client: httpx.AsyncClient) -> None:
    for thing, response in await ask_all(client, dict.fromkeys(("job", "asset", "brand_kit"), "no-uuid")):
        assert_refused(response, 400, "INVALID_REQUEST")
        [_, bad_request] = response.json()["details"]
        assert [each["field"] for each in bad_request["field_violations"]] == [f"{thing}_id"]


async def test_ids_are_taken_in_any_case_and_given_in_lower(owner: tuple[httpx.AsyncClient, dict[str, str]]) -> None:
    client, ids = owner

    job = (await client.get(f"/api/v1/jobs/{ids['job'].upper()}")).json()
    asset = (await client.get(f"/api/v1/assets/{ids['asset'].upper()}")).json()
    listed = (await client.get("/api/v1/assets", params={"job_id": ids["job"].upper()})).json()
    queued = await generate(client, ids["brand_kit"].upper(), "banner")

    assert (job["id"], asset["id"], listed["total"]) == (ids["job"], ids["asset"], 1)
    assert queued["brand_kit_id"] == ids["brand_kit"]


@pytest.mark.parametrize(
    "words",
    ['"nul \\u0000 inside"', '"half \\ud800 a pair"', "5", "[]", "{}", f'"{"é" * 501}"', '"\xff"'],
    ids=["nul", "surrogate", "number", "list", "object", "501", "latin-1"],
)
async def test_words_that_are_none_are_400(client: httpx.AsyncClient, words: str) -> None:
    body = f'{{"asset_type": "banner", "custom_prompt": {words}}}'

    response = await client.post("/api/v1/generate", content=body.encode("latin-1" if "\xff" in words else "utf-8"))

    assert_refused(response, 400, "INVALID_REQUEST")


async def test_an_eleventh_kit_is_refused_also_when_all_come_at_once(client: httpx.AsyncClient) -> None:
    kit = {"name": "Kit", "primary_colors": ["#FF0055"], "fonts": {"headline": "Inter", "body": "Inter"}}

    answers = await asyncio.gather(*(client.post("/api/v1/brand-kits", json=kit) for _ in range(14)))

    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [400] * 4
    for answer in answers:
        if answer.status_code == 400:
            assert_refused(answer, 400, "BRAND_KIT_LIMIT")


async def test_of_kits_activated_at_once_one_is_active(client: httpx.AsyncClient) -> None:
    ids = [(await create_kit(client, name=f"Kit {number}"))["id"] for number in range(4)]

    answers = await asyncio.gather(*(client.post(f"/api/v1/brand-kits/{kit_id}/activate") for kit_id in ids * 4))

    assert {answer.status_code for answer in answers} == {200}
    listed = (await client.get("/api/v1/brand-kits")).json()
    [active] = [kit["id"] for kit in listed["brand_kits"] if kit["is_active"]]
    assert active == listed["active_id"] == (await client.get("/api/v1/brand-kits/active")).json()["id"]
