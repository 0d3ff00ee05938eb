"""Programs that run as long as a block, and end with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.local.ports import free_ports, listens

START_WITHIN = 60.0
STOP_WITHIN = 15.0
NOWHERE = Path(os.devnull)


class ProgramLacks(Exception):
    """A benchmark can not run; the message says what to install."""


class DidNotStart(Exception):
    """A program ended, or did not listen in time; the message has its last words."""


def require_programs() -> None:
    """Raises ProgramLacks, naming all at once."""
    lacking = [package for package, program in (("wrk", "wrk"), ("redis-server", "redis-server")) if not _has(program)]
    if lacking:
        raise ProgramLacks(
            f"The benchmarks need {' and '.join(lacking)} from Debian: apt-get install {' '.join(lacking)}"
        )


def _has(program: str) -> bool:
    return shutil.which(program) is not None


@asynccontextmanager
async def program_on(module: str, log: Path, environ: Mapping[str, str] | None = None) -> AsyncIterator[int]:
    """A module of ours that takes `--port`; yields the port when it listens there."""
    [port] = free_ports(1)
    async with running([sys.executable, "-m", module, "--port", str(port)], log, environ, port=port):
        yield port


@asynccontextmanager
async def running(
    command: Sequence[str], log: Path = NOWHERE, environ: Mapping[str, str] | None = None, *, port: int | None = None
) -> AsyncIterator[int]:
    """Yields its process id, when it listens on the port.

    Raises:
        DidNotStart: it does not.
    """
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        if port is not None:
            await _listening(process, port, log)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _listening(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    try:
        async with asyncio.timeout(START_WITHIN):
            while process.returncode is None:
                if listens(port):
                    return
                await asyncio.sleep(0.02)
    except TimeoutError:
        pass
    raise DidNotStart(_last_words(log))


def _last_words(log: Path) -> str:
    return log.read_text()[-2000:]
