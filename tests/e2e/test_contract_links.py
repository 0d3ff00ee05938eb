"""Links on the whole system: who may open which, for how long, and what caches are told."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from deploy.local.background import BackgroundSystem
from tests.e2e.apps import create_kit, finished, generate

REFUSED = {"code": "NOT_OWNER", "message": "this link is not valid, or it has expired"}


@pytest.fixture
async def assets(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Two of one user."""
    job = await generate(client, (await create_kit(client))["id"], "banner", count=2)
    return list((await finished(client, job["id"]))["assets"])


@pytest.fixture
async def anybody(system: BackgroundSystem) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=system.url, trust_env=False) as client:
        yield client


def link(asset: dict[str, Any]) -> tuple[str, str]:
    """Its path and its token."""
    parts = urlsplit(asset["url"])
    return parts.path, parts.query.removeprefix("token=")


async def publish(client: httpx.AsyncClient, asset: dict[str, Any], is_public: bool) -> dict[str, Any]:
    response = await client.put(f"/api/v1/assets/{asset['id']}/visibility", json={"is_public": is_public})
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_one_answer_for_every_link_that_opens_nothing(
    anybody: httpx.AsyncClient, assets: list[dict[str, Any]]
) -> None:
    (path, token), (other_path, other_token) = link(assets[0]), link(assets[1])
    moment, _, signature = token.partition(".")
    tokens = ("", "x", token[:-1], f"{token}A", other_token, f"{int(moment) + 1}.{signature}", f".{signature}", "٣.é")

    answers = [await anybody.get(path, params={"token": each}) for each in tokens]
    answers += [await anybody.get(path), await anybody.get(other_path, params={"token": token})]
    nothing = (f"/files/private/{'0' * 32}", f"/files/public/{'0' * 32}", "/files/..%2f..%2fstorage.db", "/files/etc")
    answers += [await anybody.get(each, params={"token": token}) for each in nothing]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(403, REFUSED)] * len(answers)
    assert (await anybody.get(path, params={"token": token})).status_code == 200


async def test_every_link_dies_with_a_change_of_visibility(
    anybody: httpx.AsyncClient, client: httpx.AsyncClient, assets: list[dict[str, Any]]
) -> None:
    private, shared = assets[0], f"/asset/{assets[0]['id'].upper()}"
    before = await anybody.get(shared)

    public = await publish(client, private, True)
    shown = [await anybody.get(url) for url in (public["url"], shared, f"/api/v1{shared}")]
    private_again = await publish(client, public, False)

    assert (before.status_code, before.headers["cache-control"]) == (404, "no-store")
    assert before.json()["error"]["code"] == "ASSET_NOT_FOUND"
    assert [answer.status_code for answer in shown] == [200, 200, 200]
    assert shown[0].headers["cache-control"].startswith("public, max-age=")
    assert [answer.headers["cache-control"] for answer in shown[1:]] == ["no-cache"] * 2
    assert {len(answer.content) for answer in shown} == {private["file_size"]}
    links = [asset["url"] for asset in (private, public, private_again)]
    assert [(await anybody.get(url)).status_code for url in links] == [403, 403, 200]
    assert (await anybody.get(shared)).status_code == 404


async def test_of_racing_changes_one_link_is_left(
    anybody: httpx.AsyncClient, client: httpx.AsyncClient, assets: list[dict[str, Any]]
) -> None:
    said = await asyncio.gather(*(publish(client, assets[0], bool(turn % 2)) for turn in range(12)))

    now = (await client.get(f"/api/v1/assets/{assets[0]['id']}")).json()
    alive = {asset["url"].partition("?")[0] for asset in said if (await anybody.get(asset["url"])).status_code == 200}
    assert all(asset["is_public"] == ("/public/" in asset["url"]) for asset in said)
    assert alive <= {now["url"].partition("?")[0]}
    assert (await anybody.get(now["url"])).status_code == 200
    assert (await anybody.get(f"/asset/{now['id']}")).status_code == (200 if now["is_public"] else 404)


async def test_a_deleted_asset_leaves_no_link(
    anybody: httpx.AsyncClient, client: httpx.AsyncClient, assets: list[dict[str, Any]]
) -> None:
    public = await publish(client, assets[0], True)

    answers = await asyncio.gather(*(client.delete(f"/api/v1/assets/{public['id']}") for _ in range(4)))

    assert sorted({answer.status_code for answer in answers}) in ([204], [204, 404])
    assert (await client.delete(f"/api/v1/assets/{public['id']}")).status_code == 404
    assert (await anybody.get(public["url"])).status_code == 403
    assert (await anybody.get(f"/asset/{public['id']}")).status_code == 404


async def test_a_link_to_share_needs_an_id(anybody: httpx.AsyncClient) -> None:
    assert (await anybody.get("/asset/no-uuid")).status_code == 400
    assert (await anybody.get(f"/asset/{uuid.uuid4()}")).status_code == 404
