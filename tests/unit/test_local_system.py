"""When a system starts, when it refuses to, and what it says meanwhile; on stand-ins."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from deploy.local.errors import DataDirInUse, PortsInUse
from deploy.local.ports import free_ports
from deploy.local.readiness import NotReady
from deploy.local.system import LocalSystem
from tests.unit.stand_in_system import WITHIN, foreground, local_settings, stand_ins, until


@pytest.fixture
def said() -> list[str]:
    return []


async def test_every_port_in_use_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        taken = {"STUDIO_PORT": one.getsockname()[1], "PROMPT_PORT": other.getsockname()[1]}
        settings = local_settings(tmp_path, **{name: str(port) for name, port in taken.items()})

        with pytest.raises(PortsInUse) as refusal:
            await LocalSystem(settings, stages=stand_ins()).start()

    assert set(str(refusal.value).splitlines()) == {
        f"{name}: port {port} is already in use" for name, port in taken.items()
    }
    assert not (tmp_path / "logs").exists()


async def test_one_port_for_two_parts_is_refused(tmp_path: Path) -> None:
    [port] = free_ports(1)
    settings = local_settings(tmp_path, STUDIO_PORT=str(port), PROMPT_PORT=str(port))

    with pytest.raises(PortsInUse, match=f"PROMPT_PORT, STUDIO_PORT: all want port {port}"):
        await LocalSystem(settings, stages=stand_ins()).start()


async def test_two_systems_do_not_share_a_data_directory(tmp_path: Path) -> None:
    async with LocalSystem(local_settings(tmp_path), stages=stand_ins()) as first:
        second = LocalSystem(local_settings(tmp_path), stages=stand_ins())

        with pytest.raises(DataDirInUse, match=f"is in use by process {os.getpid()}"):
            await second.start()

        await first.wait_ready(WITHIN)


async def test_a_data_directory_is_free_again_when_its_system_was_killed(tmp_path: Path) -> None:
    with foreground(tmp_path) as running:
        running.process.kill()
        running.process.wait(WITHIN)

    async with LocalSystem(local_settings(tmp_path), stages=stand_ins()) as system:
        await system.wait_ready(WITHIN)


async def test_a_system_that_is_not_ready_names_the_part_it_waits_for(tmp_path: Path) -> None:
    async with LocalSystem(local_settings(tmp_path), stages=stand_ins()) as system:
        await system.wait_ready(WITHIN)
        await system.stop_part("gateway")

        with pytest.raises(NotReady, match=r"^gateway does not answer \(its output: .*gateway.log\)$"):
            await system.wait_ready(timeout=0.1)


async def test_a_system_that_takes_long_says_what_it_waits_for(tmp_path: Path, said: list[str]) -> None:
    async with LocalSystem(local_settings(tmp_path), stages=stand_ins(), say=said.append) as system:
        await system.stop_part("prompt")
        waiting = asyncio.create_task(system.wait_ready(WITHIN, patience=0.05))
        await until(lambda: said != [])
        await system.start_part("prompt")
        await waiting

    assert said[0].startswith("not ready yet: prompt does not answer (its output: ")


async def test_the_output_of_the_start_before_is_kept(tmp_path: Path) -> None:
    ports = []
    for _ in range(2):
        async with LocalSystem(local_settings(tmp_path), stages=stand_ins()) as system:
            await system.wait_ready(WITHIN)
            ports.append(system.settings.port)

    logs = [tmp_path / "logs" / name for name in ("gateway.log.1", "gateway.log")]
    assert [log.read_text() for log in logs] == [f"listening on {port}\n" for port in ports]


async def test_a_verbose_system_shows_everything(tmp_path: Path, said: list[str]) -> None:
    settings = local_settings(tmp_path, STUDIO_VERBOSE="1")

    async with LocalSystem(settings, stages=stand_ins(), say=said.append) as system:
        await system.wait_ready(WITHIN)

    assert f"gateway: listening on {system.settings.port}" in said
