"""Every replica of every service is restarted in turn, and nobody who uses the system notices."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.load import Load, under_load
from tests.systems import READY_WITHIN, running_system

pytestmark = pytest.mark.timeout(240)

SERVICES = ("prompt", "generation", "storage")


async def test_no_request_fails_while_one_replica_after_the_other_is_restarted(
    tmp_path: Path, own_database: str
) -> None:
    with running_system(tmp_path, STUDIO_REPLICAS="2", DATABASE_URL=own_database) as system:
        replicas = [part for part in system.parts if part.startswith(SERVICES)]
        assert len(replicas) == 6
        # Nothing here is said twice: what failed would have failed a person.
        async with under_load(system, Load.submit) as load:
            for part in replicas:
                answered, before = load.answers, system.pid(part)
                await asyncio.to_thread(system.stop_part, part)
                await asyncio.to_thread(system.start_part, part)
                await asyncio.to_thread(system.wait_ready, READY_WITHIN)
                assert load.answers > answered
                assert system.pid(part) != before

        assert load.failures == {}, load.stories
        assert len(load.ended) > 10
        assert load.watched
