"""Three NATS servers, PostgreSQL and two replicas of each service: any one part may die or hang at any time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.background import BackgroundSystem
from tests.e2e.apps import finished
from tests.e2e.load import Load, under_load
from tests.systems import READY_WITHIN, running_system

pytestmark = pytest.mark.timeout(300)

RETRYABLE = {f"{call} 503" for call in ("GET", "PUT", "POST", "watch")}
TORN = {"PUT 502", "watch broke"}
"""What was under way at the very replica: a change of which nobody can say whether it was made, and a stream, whose
reader comes again with the last event it saw."""


@contextmanager
def running_cluster(data_dir: Path, database: str, **more: str) -> Iterator[BackgroundSystem]:
    cluster = {"STUDIO_REPLICAS": "2", "STUDIO_NATS_SERVERS": "3", "DATABASE_URL": database}
    with running_system(data_dir, **cluster, **more) as system:
        yield system


async def test_any_part_may_be_killed(tmp_path: Path, own_database: str) -> None:
    with running_cluster(tmp_path, own_database) as system:
        async with under_load(system, Load.submit_for_certain) as load:
            for part in system.parts:
                if part == "gateway":
                    continue  # there is one, and without it nobody is answered
                answered, before = load.answers, system.pid(part)
                system.kill(part)
                await restarted(system, part, before)
                assert load.answers > answered

    assert set(load.failures) <= RETRYABLE | TORN, load.stories
    assert len(load.ended) > 10


async def test_a_part_may_hang_for_a_while(tmp_path: Path, own_database: str) -> None:
    with running_cluster(tmp_path, own_database, STUDIO_RENDERS="object_store") as system:
        async with under_load(system, Load.submit_for_certain) as load:
            for part in ("nats-1", "generation-1", "storage-2"):
                system.kill(part, signal.SIGSTOP)
                await is_made(load)
                system.kill(part, signal.SIGCONT)
                await asyncio.to_thread(system.wait_ready, READY_WITHIN)

    assert set(load.failures) <= RETRYABLE | TORN, load.stories


async def restarted(system: BackgroundSystem, part: str, before: int) -> None:
    async with asyncio.timeout(READY_WITHIN):
        while system.pid(part) == before:  # noqa: ASYNC110 the supervisor is in another thread and has no event
            await asyncio.sleep(0.02)
    await asyncio.to_thread(system.wait_ready, READY_WITHIN)


async def is_made(load: Load) -> None:
    """Returns when a job that is submitted now has been made."""
    job = await finished(load.client, await load.submit_for_certain(), 60)
    assert job["status"] == "completed"
