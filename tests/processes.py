"""A service as a process of its own, and what it says."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.builders import SERVICE_SECRET, USER_SECRET

ROOT = Path(__file__).parent.parent
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Running:
    """A process that was started."""

    process: asyncio.subprocess.Process

    async def logged(self, message: str) -> dict[str, Any]:
        """The next line in its log with that message."""
        return (await self.logged_until(message))[-1]

    async def logged_until(self, message: str) -> list[dict[str, Any]]:
        """All lines in its log up to the next one with that message."""
        assert self.process.stderr is not None
        lines: list[dict[str, Any]] = []
        async with asyncio.timeout(PATIENCE):
            async for line in self.process.stderr:
                if line.startswith(b"{"):
                    lines.append(json.loads(line))
                    if lines[-1]["message"] == message:
                        return lines
        raise AssertionError(f"it ended without saying {message!r}")

    async def printed(self, line: str) -> None:
        """Returns when it has printed the line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            async for printed in self.process.stdout:
                if printed.decode().strip() == line:
                    return
        raise AssertionError(f"it ended without printing {line!r}")

    async def ended(self) -> tuple[int, str, str]:
        """Its exit code, and what it still had to say."""
        async with asyncio.timeout(PATIENCE):
            said, complained = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, said.decode(), complained.decode()


@asynccontextmanager
async def running_process(module: str, *arguments: str, **environ: str) -> AsyncIterator[Running]:
    """Starts a service as `python -m` does, with settings that are well and these; it does not outlive the test."""
    base: Mapping[str, str] = {
        "PATH": os.environ["PATH"], "NATS_URL": "nats://127.0.0.1:1", "JWT_SECRET": USER_SECRET,
        "SERVICE_JWT_SECRET": SERVICE_SECRET,
    }  # fmt: skip
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT,
        env={**base, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Running(started)
    finally:
        if started.returncode is None:
            started.kill()
            await started.communicate()
