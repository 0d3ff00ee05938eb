"""A busy image API and many jobs: all are made, and it is left alone while it asks to be."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

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
        now = time.monotonic()
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
    assert busy.refusals
    # What was on its way when the gate closed is no call while it is closed; on a busy machine that may take long.
    on_its_way = 1.0
    for refused in busy.refusals:
        assert not [call for call in busy.calls if refused + on_its_way < call < refused + 1.9]
