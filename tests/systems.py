"""The whole system, really running, on free ports and in a directory of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from deploy.local.background import BackgroundSystem
from deploy.local.secrets import user_token
from deploy.local.settings import read_local_settings
from deploy.local.system import LocalSystem, say_on_stderr
from tests.databases import database_settings

READY_WITHIN = 60.0
FREE_PORTS = dict.fromkeys(("STUDIO_PORT", "PROMPT_PORT", "GENERATION_PORT", "STORAGE_PORT"), "0")


@contextmanager
def running_system(
    data_dir: Path, say: Callable[[str], None] = say_on_stderr, /, **variables: str
) -> Iterator[BackgroundSystem]:
    """A system that is ready; `variables` are settings of its own."""
    database = {} if "DATABASE_URL" in variables else database_settings(data_dir)
    environ = {**os.environ, **FREE_PORTS, "STUDIO_DATA_DIR": str(data_dir), **database, **variables}
    with BackgroundSystem(LocalSystem(read_local_settings(environ), say=say)) as system:
        system.wait_ready(READY_WITHIN)
        yield system


@asynccontextmanager
async def running_beside(data_dir: Path, **variables: str) -> AsyncIterator[BackgroundSystem]:
    """The same for a test whose own event loop has fakes to serve, which the system asks while it starts and stops."""
    context = running_system(data_dir, **variables)
    system = await asyncio.to_thread(context.__enter__)
    try:
        yield system
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


def token_for(system: BackgroundSystem, user_id: str, *, ttl: int = 3600, tier: str = "free") -> str:
    """An access token of a user, as the apps have them."""
    secret = system.settings.jwt_secret
    assert secret is not None
    return user_token(secret.get_secret_value(), user_id, ttl, tier)


def client_for(system: BackgroundSystem, user_id: str) -> httpx.AsyncClient:
    """An app that a user is signed in to."""
    headers = {"Authorization": f"Bearer {token_for(system, user_id)}"}
    return httpx.AsyncClient(base_url=system.url, headers=headers, timeout=30, trust_env=False)
