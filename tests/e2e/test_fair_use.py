"""Fair use on the whole system: limits as an app meets them, and turns while somebody else has a thousand jobs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tests.databases import database_of
from tests.e2e.apps import Json, create_kit, finished, generate
from tests.systems import client_for, running_system

MANY = 1000
WINDOW = 4
AT_ONCE = 32
# Of another user, while a job was under way; whole seconds, as the API has them, would say too little.
ENDED_MEANWHILE = """
SELECT COUNT(*) FROM jobs AS others, jobs AS mine WHERE mine.id = $1 AND others.user_id = $2
AND others.completed_at > mine.created_at AND others.completed_at <= mine.completed_at
"""


async def submit(client: httpx.AsyncClient, kit: Json, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await client.post(
        "/api/v1/generate", json={"asset_type": "banner", "brand_kit_id": kit["id"]}, headers=headers
    )


def quota(response: httpx.Response) -> list[int]:
    """Limit, remaining, reset."""
    return [int(response.headers[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")]


async def test_an_app_is_told_its_limit_before_and_when_it_is_reached(tmp_path: Path) -> None:
    with running_system(tmp_path, SUBMITS_PER_MINUTE="3") as system:
        async with client_for(system, "ada") as ada, client_for(system, "grace") as grace:
            kit = await create_kit(ada)
            first, second = await submit(ada, kit, "tap"), await submit(ada, kit)
            job = await finished(ada, first.json()["id"])
            cancelled = (await submit(ada, kit)).json()
            await ada.post(f"/api/v1/jobs/{cancelled['id']}:cancel")

            refused = await submit(ada, kit)
            refused_retry = await ada.post(f"/api/v1/jobs/{cancelled['id']}:retry")
            replayed = await submit(ada, kit, "tap")
            polled = [await ada.get(f"/api/v1/jobs/{job['id']}") for _ in range(50)]
            used = (await ada.get("/api/v1/usage")).json()
            graces = await submit(grace, await create_kit(grace))

    wait = int(refused.headers["Retry-After"])
    assert [answer.status_code for answer in (first, second, refused, replayed)] == [201, 201, 429, 201]
    assert [quota(answer)[:2] for answer in (first, second, refused, replayed, graces)] == [
        [3, 2], [3, 1], [3, 0], [3, 0], [3, 2],
    ]  # fmt: skip
    assert 1 <= wait == quota(refused)[2] <= quota(second)[2] <= 60
    assert refused.json() == {
        "code": 8,
        "message": f"you have reached the limit of 3 new jobs a minute; try again in {wait} s",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "RATE_LIMIT",
                "domain": "streamerstudio",
                "metadata": {"limit": "3", "retry_after": str(wait)},
            },
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retry_delay": f"{wait}s"},
        ],
        "error": {
            "code": "RATE_LIMIT",
            "message": f"you have reached the limit of 3 new jobs a minute; try again in {wait} s",
        },
    }
    assert (refused_retry.status_code, refused_retry.json()["error"]["code"]) == (429, "RATE_LIMIT")
    assert replayed.json()["id"] == first.json()["id"]
    assert {answer.status_code for answer in polled} == {200}
    assert (used["generations_used"], used["generations_limit"]) == (3, -1)


@pytest.mark.timeout(240)
async def test_a_first_job_is_made_at_once_while_a_thousand_of_another_user_wait(tmp_path: Path) -> None:
    settings = {"MAX_ACTIVE_JOBS": str(MANY), "RENDER_WINDOW": str(WINDOW), "RENDER_CONCURRENCY": "1"}
    with running_system(tmp_path, **settings) as system:
        async with client_for(system, "ada") as ada, client_for(system, "grace") as grace:
            adas, graces = await create_kit(ada), await create_kit(grace)
            refused = await flood(ada, adas)

            made = await finished(grace, (await generate(grace, graces["id"], "banner"))["id"], 60)
            waiting = (await ada.get("/api/v1/jobs", params={"status": "queued"})).json()["total"]
            theirs = (await grace.get("/api/v1/usage")).json()
    async with database_of("generation", tmp_path) as database:
        [[before]] = await database.fetch(ENDED_MEANWHILE, made["id"], "ada")

    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "GENERATION_LIMIT_EXCEEDED")
    assert refused.json()["details"][0]["metadata"] == {"limit": str(MANY)}
    assert refused.headers["Retry-After"] == "5" and "RateLimit-Limit" not in refused.headers
    assert made["status"] == "completed" and theirs["active_jobs"] == 0
    # What was on its way when hers came, hers, and what overtakes it in storage.
    assert before <= 3 * WINDOW
    assert waiting >= MANY // 2


async def flood(client: httpx.AsyncClient, kit: Json) -> httpx.Response:
    """Submits, many at once, until the limit is reached; the first refusal."""
    refusals: list[httpx.Response] = []

    async def keep_submitting() -> None:
        while not refusals:
            answer = await submit(client, kit)
            if answer.status_code != 201:
                refusals.append(answer)

    await asyncio.gather(*(keep_submitting() for _ in range(AT_ONCE)))
    return refusals[0]
