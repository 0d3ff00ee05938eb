"""A real Envoy with the gateway's configuration, for a test to call."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy.local.ports import free_ports
from gateway.config import envoy_config
from gateway.process import envoy_command, write_config
from gateway.settings import Address, GatewaySettings
from tests.builders import SERVICE_SECRET, USER_SECRET
from tests.contract.gateway_services import Running
from tests.queueing import eventually

ORIGIN = "https://app.example.com"

Change = Callable[[dict[str, Any]], None]


def settings_for(services: Mapping[str, Running], **others: Any) -> GatewaySettings:
    return settings_at({name: service.address for name, service in services.items()}, **others)


def settings_at(addresses: Mapping[str, Address], **others: Any) -> GatewaySettings:
    """One replica of each service, unless `others` say more."""
    port, admin_port = free_ports(2)
    given: dict[str, Any] = {
        "port": port,
        "admin_port": admin_port,
        "jwt_secret": USER_SECRET,
        "service_jwt_secret": SERVICE_SECRET,
        "cors_origins": (ORIGIN, "http://localhost:5173"),
        **addresses,
    }
    given |= others
    given |= {name: (value,) for name, value in given.items() if isinstance(value, Address)}
    return GatewaySettings(**given)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def running_gateway(
    settings: GatewaySettings, directory: Path, change: Change | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Yields a client of it when it listens; `change` may shorten a time limit in its configuration."""
    path = directory / "envoy.json"
    write_config(settings, path)
    if change:
        config = envoy_config(settings)
        change(config)
        path.write_text(json.dumps(config))
    log = directory / "envoy.log"
    with log.open("wb") as output:
        command = envoy_command(path, concurrency=1)
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}", trust_env=False) as client:
            await eventually(lambda: _listens(process, client))
            assert process.returncode is None, log.read_text()
            yield client
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _listens(process: asyncio.subprocess.Process, client: httpx.AsyncClient) -> bool:
    """Also true of one that ended: it has nothing to be waited for."""
    try:
        return process.returncode is not None or (await client.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False
