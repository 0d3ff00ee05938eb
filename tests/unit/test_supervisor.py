"""What `make up` promises about processes, on stand-ins that listen and die on command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from deploy.local.keeper import Backoff
from deploy.local.parts import Part, Stages
from deploy.local.ports import listens
from deploy.local.settings import LocalSettings
from deploy.local.system import LocalSystem
from tests.unit.stand_in_system import QUICK, WITHIN, foreground, local_settings, stand_in, stand_ins, until


def is_gone(group: int) -> bool:
    """Whether nothing of a process group runs; what only waits to be reaped by its parent is gone."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return True
    return sys.platform == "linux" and not any(_runs_in(group, stat) for stat in Path("/proc").glob("[0-9]*/stat"))


def _runs_in(group: int, stat: Path) -> bool:
    try:
        state, _, its_group, *_ = stat.read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return int(its_group) == group and state != "Z"


def order_to_die(port: int) -> None:
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{port}/die", trust_env=False)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
async def system(tmp_path: Path, said: list[str]) -> AsyncIterator[LocalSystem]:
    settings = local_settings(tmp_path)
    async with LocalSystem(settings, stages=stand_ins(), say=said.append, backoff=QUICK, grace=2) as system:
        await system.wait_ready(WITHIN)
        yield system


async def test_a_part_that_dies_is_started_again_and_the_terminal_says_so(system: LocalSystem, said: list[str]) -> None:
    dead = system.pid("prompt")

    await asyncio.to_thread(order_to_die, system.settings.prompt_port)
    await until(lambda: system.pid("prompt") != dead and listens(system.settings.prompt_port))

    assert "prompt ended with exit code 1 (ERROR: told to die); starting it again in 0.05 s" in said
    await until(lambda: "prompt: ERROR: told to die" in said)


async def test_a_part_that_is_killed_is_started_again_by_the_name_of_its_signal(
    system: LocalSystem, said: list[str]
) -> None:
    dead = system.pid("gateway")

    system.kill("gateway")
    await until(lambda: system.pid("gateway") != dead)
    await system.wait_ready(WITHIN)

    assert said == ["gateway was killed by SIGKILL; starting it again in 0.05 s"]


async def test_a_part_that_only_a_new_start_can_help_gets_one(tmp_path: Path, said: list[str]) -> None:
    async def ailment() -> str | None:
        return "stores nothing more" if system.pid("prompt") == sick else None

    def stages(settings: LocalSettings) -> Stages:
        return ((replace(stand_in("prompt", "PROMPT_PORT", settings.prompt_port), ailment=ailment),),)

    sick = 0
    system = LocalSystem(local_settings(tmp_path), stages=stages, say=said.append, backoff=QUICK)
    async with system:
        await until(lambda: listens(system.settings.prompt_port))
        sick = system.pid("prompt")
        await until(lambda: system.pid("prompt") != sick and listens(system.settings.prompt_port))

    assert said == [
        "prompt stores nothing more",
        "prompt was killed by SIGKILL; starting it again in 0.05 s",
    ]


async def test_a_part_that_was_stopped_stays_stopped_until_it_is_started(system: LocalSystem, said: list[str]) -> None:
    await system.stop_part("prompt")

    assert not listens(system.settings.prompt_port)

    await system.start_part("prompt")
    await until(lambda: listens(system.settings.prompt_port))
    assert said == []


def test_waits_double_up_to_the_longest_and_start_over_for_a_part_that_stayed_up() -> None:
    backoff = Backoff(first=0.2, longest=5, settled=10)

    waits = [backoff.after(None, 0)]
    for _ in range(6):
        waits.append(backoff.after(waits[-1], uptime=1))

    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]
    assert backoff.after(5, uptime=10) == 0.2


async def test_a_paused_part_is_stopped_without_waiting_for_the_grace_to_pass(
    system: LocalSystem, said: list[str]
) -> None:
    system.kill("prompt", signal.SIGSTOP)

    await system.stop_part("prompt")

    assert said == []


async def test_a_part_that_will_not_stop_is_killed_after_the_grace(tmp_path: Path, said: list[str]) -> None:
    stubborn = stand_ins("stubborn")
    system = LocalSystem(local_settings(tmp_path), stages=stubborn, say=said.append, grace=0.1)
    async with system:
        await until(lambda: listens(system.settings.prompt_port))
        group = system.pid("prompt")

    assert is_gone(group)
    assert said == ["prompt did not stop in 0.1 s and was killed"]


async def test_what_a_part_started_goes_with_it(tmp_path: Path) -> None:
    async with LocalSystem(local_settings(tmp_path), stages=stand_ins("parent"), grace=2) as system:
        await until(lambda: listens(system.settings.prompt_port))
        group = system.pid("prompt")

    await until(lambda: is_gone(group))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_stopped_system_leaves_no_process_behind(tmp_path: Path, number: signal.Signals) -> None:
    with foreground(tmp_path, "parent") as running:
        running.process.send_signal(number)
        code = running.process.wait(WITHIN)

    assert code == 0
    for group in running.groups:
        await until(lambda group=group: is_gone(group))  # type: ignore[misc]


async def test_a_killed_supervisor_leaves_no_process_behind(tmp_path: Path) -> None:
    with foreground(tmp_path, "parent", "stubborn") as running:
        running.process.kill()
        running.process.wait(WITHIN)

    for group in running.groups:
        await until(lambda group=group: is_gone(group))  # type: ignore[misc]


async def test_ctrl_c_reaches_the_supervisor_and_none_of_its_parts(tmp_path: Path) -> None:
    with foreground(tmp_path) as running:
        sessions = {os.getsid(pid) for pid in running.groups}

        assert sessions == set(running.groups)
        assert os.getsid(running.process.pid) not in sessions


async def test_an_impatient_second_signal_does_not_wait_for_a_stubborn_part(tmp_path: Path) -> None:
    with foreground(tmp_path, "stubborn") as running:
        running.process.send_signal(signal.SIGINT)
        await until(lambda: is_gone(running.groups[1]))
        running.process.send_signal(signal.SIGINT)
        code = running.process.wait(WITHIN)

    assert code == 0
    await until(lambda: is_gone(running.groups[0]))


async def test_a_part_whose_program_is_missing_says_so_and_keeps_being_tried(tmp_path: Path, said: list[str]) -> None:
    missing = Part("nowhere", ("/nowhere/to/be/found",), {})
    system = LocalSystem(local_settings(tmp_path), stages=lambda _: ((missing,),), say=said.append, backoff=QUICK)

    async with system:
        await until(lambda: len(said) >= 2)

    assert all("nowhere ended with exit code 127" in line for line in said)


def test_stopping_is_quick_when_the_parts_are(tmp_path: Path) -> None:
    with foreground(tmp_path) as running:
        asked = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(WITHIN)

    assert time.monotonic() - asked < 2
