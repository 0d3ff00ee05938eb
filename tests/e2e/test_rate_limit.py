"""A busy image API and many jobs: all are made, and it is left alone while it asks to be."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.databases import database_of
from tests.e2e.apps import create_kit, finished, generate
from tests.fakes.http_server import Answer, Request
from tests.fakes.nano_banana import KEY, FakeNanoBanana, fails, serves
from tests.systems import client_for, running_system

JOBS = 200
IN_A_ROW = 40
"""Calls that are served before the API has had enough; however slow the machine is, it is busy again and again."""
BUSY_FOR = 2.0
"""Seconds, and what it says so in `Retry-After`."""


class BusyApi:
    """Serves so many calls in a row, then none for a while, and keeps the time of each call and of each refusal."""

    def __init__(self) -> None:
        self.served = 0
        self.busy_until = 0.0
        self.calls: list[float] = []
        self.refusals: list[float] = []

    def answer(self, api: FakeNanoBanana, request: Request) -> Answer:
        now = time.time()
        self.calls.append(now)
        if self.served == IN_A_ROW:
            self.served, self.busy_until = 0, now + BUSY_FOR
        if now < self.busy_until:
            self.refusals.append(now)
            return fails(429, retry_after="2")(api, request)
        self.served += 1
        return serves(api, request)


@pytest.mark.timeout(300)
async def test_two_hundred_jobs_all_end_well_and_nobody_calls_while_the_gate_is_closed(tmp_path: Path) -> None:
    async with FakeNanoBanana(honours_keys=False) as api:
        busy = BusyApi()
        api.script.extend([busy.answer] * (JOBS * 20))
        settings = {
            "STUDIO_PROVIDER": "nano_banana",
            "NANO_BANANA_BASE_URL": api.url,
            "NANO_BANANA_API_KEY": KEY,
            "RENDER_CONCURRENCY": "8",
        }
        with running_system(tmp_path, **settings) as system:
            async with client_for(system, "ada") as client:
                kit = await create_kit(client)
                jobs = [await generate(client, kit["id"], "banner") for _ in range(JOBS)]
                done = [await finished(client, job["id"], 120) for job in jobs]

    assert {job["status"] for job in done} == {"completed"}
    assert len(api.ledger) == JOBS
    begun, closings = await calls_begun(tmp_path), gate_closings(tmp_path)
    assert len(begun) == len(busy.calls)
    assert busy.refusals
    for refused in busy.refusals:
        # What began before our side had heard of it was on its way.
        heard = min(closing for closing in closings if closing > refused)
        assert not [call for call in begun if heard < call < refused + BUSY_FOR - 0.1]


async def calls_begun(data_dir: Path) -> list[float]:
    """When each call was written down, which is before it is made; seconds since 1970."""
    async with database_of("generation", data_dir) as database:
        return [row["started_at"] / 1e6 for row in await database.fetch("SELECT started_at FROM attempts")]


def gate_closings(data_dir: Path) -> list[float]:
    """When the gate had been closed; seconds since 1970."""
    lines = map(json.loads, (data_dir / "logs" / "generation.log").read_text().splitlines())
    times = [line["time"] for line in lines if line["message"] == "the gate is closed"]
    return [datetime.fromisoformat(time).timestamp() for time in times]
