"""A server that answers as it was told to, and the command run against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from clients.cli.main import app
from tests.unit.cli.scripted_api import ASSET, PIXELS, Answer, ScriptedApi, Studio, events, job, scripted_api


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with scripted_api() as api:
        yield api


@pytest.fixture
def studio(api: ScriptedApi, tmp_path: Path) -> Studio:
    """Runs a command as a user with a token."""

    def run(*arguments: str, **environ: str) -> Result:
        known = {"STUDIO_TOKEN": "the-token", "STUDIO_PUBLIC_URL": api.url, "STUDIO_DATA_DIR": str(tmp_path / "data")}
        return CliRunner().invoke(app, list(arguments), env={**known, **environ})

    return run


@pytest.fixture
def made(api: ScriptedApi) -> dict[str, Any]:
    """A job that is queued, makes progress and completes with one asset; the job at its end."""
    asset = {**ASSET, "url": f"{api.url}/files/x.png?token=t"}
    done = job("completed", 100, assets=[asset])
    api.script("POST /api/v1/generate", Answer(job("queued", 0), 201))
    api.script(
        "GET /api/v1/jobs/j1/stream",
        events(
            {"event_id": "1", "type": "progress", "job": job("processing", 40)},
            {"event_id": "1", "type": "heartbeat"},
            {"event_id": "2", "type": "completed", "job": done},
        ),
    )
    api.script("GET /files/x.png?token=t", Answer(PIXELS, content_type="image/png"))
    return done
