"""What the gateway's operator may read: never a token, never a key."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.builders import SERVICE_SECRET, USER_SECRET, user_token
from tests.contract.gateway_process import bearer, running_gateway, settings_for
from tests.contract.gateway_services import Running, Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_admin_pages_that_hold_keys_are_not_served(services: dict[str, Running], tmp_path: Path) -> None:
    settings = settings_for(services)

    async with running_gateway(settings, tmp_path), httpx.AsyncClient(trust_env=False) as client:
        admin = f"http://127.0.0.1:{settings.admin_port}"
        pages = {path: await client.get(admin + path) for path in ("/ready", "/stats", "/config_dump", "/certs", "/")}
        stopped = await client.post(f"{admin}/quitquitquit")

    assert pages["/ready"].status_code == pages["/stats"].status_code == 200
    for response in (pages["/config_dump"], pages["/certs"], pages["/"], stopped):
        assert response.status_code == 403
    for response in pages.values():
        assert "inline_string" not in response.text


async def test_the_access_log_names_the_call_and_holds_no_token(
    services: dict[str, Running], stage: Stage, tmp_path: Path
) -> None:
    log = tmp_path / "access.log"
    token = user_token()

    async with running_gateway(settings_for(services, access_log=log), tmp_path) as client:
        await client.get("/api/v1/jobs/j-1", headers={**bearer(token), "X-Request-Id": "r-1"})
        await client.get("/files/a/b.png?token=one-for-this-file")
        await client.get("/api/v1/jobs?access_token=two")
    # Envoy writes its last lines as it ends.
    text = log.read_text()
    assert len(text.splitlines()) >= 3
    assert '"path":"/api/v1/jobs/j-1"' in text
    assert '"method":"GET"' in text
    assert '"request_id":"r-1"' in text
    assert '"path":"/files/a/b.png"' in text
    for secret in (token, "one-for-this-file", "two", USER_SECRET, SERVICE_SECRET):
        assert secret not in text
