"""A system of stand-ins: `python -m tests.unit.stand_in_system DATA_DIR [TRAITS of the service]`.

Run as a program it stays in the foreground, as `make up` does, and prints its parts' process ids when it is ready.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.foreground import run_in_foreground
from deploy.local.keeper import Backoff
from deploy.local.parts import Part, Stages
from deploy.local.settings import LocalSettings, read_local_settings
from deploy.local.system import LocalSystem

PROGRAM = str(Path(__file__).with_name("stand_in.py"))
ANY_PORT = {"STUDIO_PORT": "0", "PROMPT_PORT": "0", "GENERATION_PORT": "0", "STORAGE_PORT": "0"}
QUICK = Backoff(first=0.05, longest=0.2, settled=10)
WITHIN = 10.0
"""Seconds that anything may take on a busy machine."""


@dataclass
class Foreground:
    """A system of stand-ins in a process of its own."""

    process: subprocess.Popen[str]
    groups: list[int]
    """The process groups of its parts."""


def stand_in(name: str, variable: str, port: int, *traits: str) -> Part:
    return Part(name, (sys.executable, "-I", "-S", PROGRAM, str(port), *traits), dict(os.environ), {variable: port})


def stand_ins(*traits: str) -> Callable[[LocalSettings], Stages]:
    """Two parts: the gateway, and a service with traits."""

    def stages(settings: LocalSettings) -> Stages:
        service = stand_in("prompt", "PROMPT_PORT", settings.prompt_port, *traits)
        return (service,), (stand_in("gateway", "STUDIO_PORT", settings.port),)

    return stages


def local_settings(data_dir: Path, **variables: str) -> LocalSettings:
    return read_local_settings({**ANY_PORT, "STUDIO_DATA_DIR": str(data_dir), **variables})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


@contextmanager
def foreground(data_dir: Path, *traits: str) -> Iterator[Foreground]:
    command = [sys.executable, "-m", "tests.unit.stand_in_system", str(data_dir), *traits]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            word, _, *pids = process.stdout.readline().split()
            assert word == "ready"
            yield Foreground(process, [int(pid) for pid in pids])
        finally:
            process.kill()


def main(data_dir: Path, traits: list[str]) -> None:
    system = LocalSystem(local_settings(data_dir), stages=stand_ins(*traits), backoff=QUICK, grace=0.5)

    def announce(line: str) -> None:
        print(line, system.pid("prompt"), system.pid("gateway"), flush=True)

    asyncio.run(run_in_foreground(system, announce))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
