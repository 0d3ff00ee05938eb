"""One system for all tests of a worker, and a user for each."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import httpx
import pytest

from deploy.local.background import BackgroundSystem
from tests.postgres import new_database
from tests.systems import client_for, running_system


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundSystem]:
    """Shared: a test that kills parts or changes settings runs one of its own, with `tests.systems.running_system`."""
    with running_system(tmp_path_factory.mktemp("system")) as system:
        yield system


@pytest.fixture
async def own_database(postgres_url: str) -> str:
    """A PostgreSQL database for a system of this test's own."""
    return await new_database(postgres_url)


@pytest.fixture
async def sign_in(system: BackgroundSystem) -> AsyncIterator[Callable[[], httpx.AsyncClient]]:
    """Each call signs in another user whom nobody has seen before."""
    async with AsyncExitStack() as clients:

        def signed_in() -> httpx.AsyncClient:
            client = client_for(system, f"user-{uuid.uuid4()}")
            clients.push_async_callback(client.aclose)
            return client

        yield signed_in


@pytest.fixture
def client(sign_in: Callable[[], httpx.AsyncClient]) -> httpx.AsyncClient:
    """An app with a user whom nobody has seen before."""
    return sign_in()
