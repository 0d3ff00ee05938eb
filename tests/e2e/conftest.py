"""One system on each database for all tests of a worker, and a user for each test."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import httpx
import pytest

from deploy.local.background import BackgroundSystem
from tests.databases import CHOSEN, POSTGRESQL, database_settings
from tests.postgres import shared_postgres
from tests.systems import client_for, running_system


@pytest.fixture(scope="session")
def sqlite_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundSystem]:
    with running_system(tmp_path_factory.mktemp("system")) as system:
        yield system


@pytest.fixture(scope="session")
def postgresql_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BackgroundSystem]:
    data_dir = tmp_path_factory.mktemp("system")
    database_settings(data_dir, POSTGRESQL)
    with running_system(data_dir) as system:
        yield system


@pytest.fixture
def system(request: pytest.FixtureRequest) -> BackgroundSystem:
    """Shared: a test that kills parts or changes settings runs one of its own, with `tests.systems.running_system`.

    `on_both_databases` runs a test on two of them.
    """
    system: BackgroundSystem = request.getfixturevalue(f"{getattr(request, 'param', CHOSEN)}_system")
    return system


@pytest.fixture
def own_database() -> str:
    """A PostgreSQL database for a system of this test's own."""
    return shared_postgres().create_database()


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
