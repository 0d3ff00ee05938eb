"""The load generator, the same for all: wrk, with as many connections for as long as it is told."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_suffix(".lua")
CONNECTIONS = 32
PATIENCE = 60.0
"""Seconds beyond its time until it is given up."""


class LoadFailed(Exception):
    """What was measured is not what was meant to be: some answers were errors."""


@dataclass(frozen=True, slots=True)
class Load:
    """How it went."""

    requests: int
    seconds: float
    median: float
    """Milliseconds of one request."""
    p99: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


async def load(
    url: str,
    token: str,
    paths: Sequence[str],
    seconds: float,
    *,
    body: str | None = None,
    keyed: bool = False,
    connections: int = CONNECTIONS,
) -> Load:
    """GETs, or POSTs of a body; `keyed`, each under an Idempotency-Key of its own.

    Raises:
        LoadFailed: an answer was no success, or there was none.
    """
    environ = {
        "PATH": os.environ.get("PATH", os.defpath), "LOAD_METHOD": "POST" if body else "GET", "LOAD_TOKEN": token,
        "LOAD_PATHS": "\n".join(paths), **({"LOAD_BODY": body} if body else {}),
        **({"LOAD_KEYED": str(uuid.uuid4())} if keyed else {}),
    }  # fmt: skip
    size = ("--threads", "1", "--connections", str(connections), "--duration", f"{max(1, round(seconds))}s")
    process = await asyncio.create_subprocess_exec(
        *("wrk", *size, "--timeout", "10s", "--script", str(SCRIPT), url),
        env=environ, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds + PATIENCE):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return _understood(said.decode(), paths[0])


def _understood(said: str, path: str) -> Load:
    line = said.strip().rpartition("\n")[2]
    if not line.startswith("{"):
        raise LoadFailed(said)
    found = json.loads(line)
    refused, broken = found.pop("refused"), found.pop("broken")
    if refused or broken:
        raise LoadFailed(f"{path}: of {found['requests']} requests {refused} were refused and {broken} broke")
    return Load(**found)
