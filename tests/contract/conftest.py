"""One gateway and three services for all tests of the wire; what they answer is each test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from tests.builders import user_token
from tests.contract.gateway_process import bearer, running_gateway, settings_for
from tests.contract.gateway_services import Running, Stage, running_services

_stage = Stage()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def services() -> AsyncIterator[dict[str, Running]]:
    async with running_services(_stage) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gateway(
    services: dict[str, Running], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends no token; the services behind the gateway are the session's."""
    directory = tmp_path_factory.mktemp("gateway")
    async with running_gateway(settings_for(services), directory) as client:
        yield client


@pytest.fixture
def stage(gateway: httpx.AsyncClient) -> Iterator[Stage]:
    """What the services answer in this test, and what they were asked."""
    _stage.clear()
    yield _stage
    _stage.clear()


@pytest_asyncio.fixture(loop_scope="session")
async def app(gateway: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a user's token, as an app has one."""
    async with httpx.AsyncClient(base_url=gateway.base_url, headers=bearer(user_token()), trust_env=False) as client:
        yield client
