"""Streamer Studio as `make up` runs it, with its real Nano Banana provider and every check in place."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from benchmarks.contenders.contender import Contender, Stock, stocked
from benchmarks.contenders.stocking import stock_ours
from benchmarks.image_api import KEY
from benchmarks.measuring import newcomers
from deploy.local.background import BackgroundSystem
from deploy.local.parts import Stages
from deploy.local.secrets import user_token
from deploy.local.settings import LocalSettings, read_local_settings
from deploy.local.studio import studio_stages
from deploy.local.system import LocalSystem
from tests.systems import FREE_PORTS, READY_WITHIN

HOUR = 3600


@asynccontextmanager
async def ours(
    name: str, directory: Path, image_api: str, *, database_url: str = "", stock: Stock | None = None, **settings: str
) -> AsyncIterator[Contender]:
    """On SQLite, or on the PostgreSQL at the URL, which the caller starts and whose cost the caller adds."""
    if stock:
        await stock_ours(stock, directory, database_url or None)
    variables = {
        "STUDIO_PROVIDER": "nano_banana", "NANO_BANANA_BASE_URL": image_api, "NANO_BANANA_API_KEY": KEY,
        **({"DATABASE_URL": database_url} if database_url else {}), **settings,
    }  # fmt: skip
    async with local_system(name, directory, studio_stages, variables, stock) as contender:
        yield contender


@asynccontextmanager
async def local_system(
    name: str,
    directory: Path,
    stages: Callable[[LocalSettings], Stages],
    variables: dict[str, str],
    stock: Stock | None = None,
) -> AsyncIterator[Contender]:
    """Parts that run as those of `make up` do."""
    environ = {"PATH": os.environ.get("PATH", os.defpath), **FREE_PORTS, "STUDIO_DATA_DIR": str(directory), **variables}
    system = BackgroundSystem(LocalSystem(read_local_settings(environ), stages=stages, say=_quiet))
    began = time.monotonic()
    with newcomers() as started:
        system.start()
    try:
        system.wait_ready(READY_WITHIN)
        took = time.monotonic() - began
        secret = system.settings.jwt_secret
        assert secret is not None
        token = partial(user_token, secret.get_secret_value(), ttl=4 * HOUR)
        waiting, completed = stocked(stock.jobs) if stock else ([], [])
        yield Contender(name, system.url, token, started(), took, waiting, completed)
    finally:
        system.stop()


def _quiet(line: str) -> None:
    """What the parts say stands in their logs."""
