"""Starts the conventional build: Redis, one uvicorn and one arq worker, on a PostgreSQL that is there."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg

from benchmarks.connection import Connection, UnexpectedAnswer
from benchmarks.contenders.contender import Contender, Stock, stocked
from benchmarks.contenders.stocking import stock_conventional
from benchmarks.image_api import KEY
from benchmarks.measuring import newcomers
from benchmarks.processes import running
from deploy.local.ports import free_ports
from deploy.local.secrets import user_token

POLL_DELAY = 0.5
"""Seconds; arq's default."""
MAX_JOBS = 10
"""Arq's default."""
HOUR = 3600
_PACKAGE = __package__ or ""
# As a queue's Redis is run: each change is on disk within a second.
_REDIS = ("--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--bind", "127.0.0.1")


@asynccontextmanager
async def conventional(
    name: str,
    directory: Path,
    image_api: str,
    *,
    database_url: str,
    poll_delay: float = POLL_DELAY,
    max_jobs: int = MAX_JOBS,
    stock: Stock | None = None,
) -> AsyncIterator[Contender]:
    """The caller starts PostgreSQL, and adds what it costs."""
    redis_port, port = free_ports(2)
    secret = secrets.token_urlsafe(32)
    environ = {
        "PATH": os.environ.get("PATH", os.defpath), "CONVENTIONAL_DATABASE_URL": database_url,
        "CONVENTIONAL_REDIS_PORT": str(redis_port), "CONVENTIONAL_JWT_SECRET": secret,
        "CONVENTIONAL_FILES_SECRET": secrets.token_urlsafe(32), "CONVENTIONAL_IMAGE_API_URL": image_api,
        "CONVENTIONAL_IMAGE_API_KEY": KEY, "CONVENTIONAL_PICTURES": str(directory / "pictures"),
        "CONVENTIONAL_POLL_DELAY": str(poll_delay), "CONVENTIONAL_MAX_JOBS": str(max_jobs),
    }  # fmt: skip
    log, url, began = directory / "log", f"http://127.0.0.1:{port}", time.monotonic()
    redis = ["redis-server", "--port", str(redis_port), "--dir", str(directory), *_REDIS]
    api = [
        *(sys.executable, "-m", "uvicorn", f"{_PACKAGE}.api:app", "--port", str(port), "--log-level", "warning"),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log"),
    ]
    async with AsyncExitStack() as stack:
        with newcomers() as started:
            await stack.enter_async_context(running(redis, log, port=redis_port))
            await stack.enter_async_context(running(api, log, environ, port=port))
            await stack.enter_async_context(running([sys.executable, "-m", f"{_PACKAGE}.worker"], log, environ))
        await _answers(url)
        took = time.monotonic() - began
        if stock:
            connection = await asyncpg.connect(database_url)
            await stock_conventional(stock, connection.execute)
            await connection.close()
        waiting, completed = stocked(stock.jobs) if stock else ([], [])
        token = partial(user_token, secret, ttl=4 * HOUR)
        yield Contender(name, url, token, started(), took, waiting, completed)


async def _answers(url: str) -> None:
    while True:
        try:
            async with await Connection.open(url) as connection:
                await connection.get("/healthz")
                return
        except (OSError, UnexpectedAnswer, asyncio.IncompleteReadError):
            await asyncio.sleep(0.02)
