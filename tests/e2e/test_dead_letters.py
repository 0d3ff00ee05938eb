"""A message that was tried too often, at each stage of the real system: its job says so, and can be had made again."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.studio import embedded_nats_url
from tests.e2e.apps import Json, finished
from tests.e2e.paid_world import World, heard_of, running_world
from tests.queueing import delivered_in_vain

pytestmark = pytest.mark.timeout(300)

COMMAND = (sys.executable, "-c", "from clients.cli.main import main; main()")
TOO_OFTEN = "We tried this many times without success and put it aside. Please try again."


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running_world(tmp_path) as world:
        yield world


async def studio(world: World, *arguments: str) -> Any:
    """What the command says of the system, as JSON; it is given the data directory and the gateway's port alone."""
    settings = world.system.settings
    environ = {**os.environ, "STUDIO_DATA_DIR": str(settings.data_dir), "STUDIO_PORT": str(settings.port)}
    command = [*COMMAND, "dead-letters", *arguments, "--json"]
    result = await asyncio.to_thread(
        subprocess.run, command, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


async def tried_in_vain(world: World, subject: str, part: str) -> None:
    """By somebody else, while the part that does the work is away; it is back after that."""
    await heard_of(world.queues, subject)
    await delivered_in_vain(embedded_nats_url(world.system.settings), subject, subject.removeprefix("work."))
    world.system.start_part(part)


async def failed_of_it(world: World, job: Json, consumer: str) -> None:
    ended = await finished(world.client, job["id"])
    assert (ended["status"], ended["error"]["reason"], ended["error_message"]) == ("failed", "INTERNAL", TOO_OFTEN)
    [letter] = (await studio(world, "list"))["dead_letters"]
    shown = await studio(world, "show", letter["sequence"])
    assert (letter["consumer"], letter["reason"]) == (consumer, "Delivered 50 times without success.")
    assert int(letter["deliveries"]) > 50 and letter["request_id"]
    assert shown["message"]["work"]["job_id"] == letter["work"]["job_id"] == job["id"]


async def is_made_again(world: World) -> None:
    [outcome] = await studio(world, "requeue", "--all")

    done = await world.completes(outcome["job"])
    assert done["user_id"] == outcome["job"]["user_id"]
    assert (await studio(world, "list"))["total"] == 0


async def test_at_the_prompt(world: World) -> None:
    world.system.stop_part("prompt")
    job = await world.job()

    await tried_in_vain(world, "work.prompt", "prompt")

    await failed_of_it(world, job, "prompt")
    await is_made_again(world)
    assert len(world.api.ledger) == await world.total() == 1


async def test_when_it_was_made_and_could_not_be_stored_it_is_not_paid_for_again(world: World) -> None:
    world.system.stop_part("storage")
    job = await world.job()

    await tried_in_vain(world, "work.store", "storage")

    await failed_of_it(world, job, "store")
    await is_made_again(world)
    assert len(world.api.ledger) == await world.total() == 1


async def test_when_nobody_could_be_told_that_it_was_stored_it_is_there_once_in_the_end(world: World) -> None:
    world.system.stop_part("storage")
    job = await world.job()
    await heard_of(world.queues, "work.store")
    world.system.stop_part("generation")
    world.system.start_part("storage")

    await tried_in_vain(world, "work.outcome", "generation")

    await failed_of_it(world, job, "outcome")
    await is_made_again(world)
    async with asyncio.timeout(30):
        # What was stored for the job that failed is deleted soon after; storage does not say when.
        while await world.total() != 1:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert len(world.api.ledger) == 1
    assert await world.assets_of(job) == 0
