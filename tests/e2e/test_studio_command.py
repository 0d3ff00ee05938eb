"""The `studio` command on a real system, as a newcomer types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deploy.local.background import BackgroundSystem
from tests.systems import FREE_PORTS, token_for

SIZES = {
    "thumbnail": (1280, 720),
    "overlay": (1920, 1080),
    "banner": (1200, 480),
    "story_graphic": (1080, 1920),
    "clip_cover": (1080, 1080),
}
COMMAND = (sys.executable, "-c", "from clients.cli.main import main; main()")

Studio = Callable[..., Any]


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, **FREE_PORTS, **variables}


@pytest.fixture
def studio(system: BackgroundSystem) -> Studio:
    """Runs a command as one new user; what it printed, read as JSON."""
    token = token_for(system, f"user-{uuid.uuid4()}")
    environ = environment(STUDIO_TOKEN=token, STUDIO_PUBLIC_URL=system.url)

    def run(*arguments: str) -> Any:
        command = [*COMMAND, *arguments, "--json"]
        result = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


def test_the_demo_makes_one_picture_of_each_type_and_stops_everything(tmp_path: Path) -> None:
    result = subprocess.run(
        [*COMMAND, "demo", "--json", "--out", str(tmp_path / "out")],
        env=environment(STUDIO_DATA_DIR=str(tmp_path / "data")),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert result.returncode == 0, result.stderr
    made = {one["asset_type"]: (one["width"], one["height"]) for one in json.loads(result.stdout)}
    assert made == SIZES
    for asset_type, size in SIZES.items():
        with Image.open(tmp_path / "out" / f"{asset_type}.png") as image:
            assert image.size == size
    assert (tmp_path / "data" / "demo" / "lock").read_text() == ""


def test_up_is_ready_within_ten_seconds_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    environ = environment(STUDIO_DATA_DIR=str(tmp_path))
    asked = time.monotonic()

    with subprocess.Popen([*COMMAND, "up"], env=environ, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        try:
            announced = up.stdout.readline()
            seconds = time.monotonic() - asked
            up.send_signal(signal.SIGINT)
            code = up.wait(timeout=30)
        finally:
            up.kill()

    assert announced.startswith("ready http://127.0.0.1:")
    assert seconds < 10
    assert code == 0


def test_a_picture_is_made_shared_and_deleted(studio: Studio, tmp_path: Path) -> None:
    studio("brand-kit", "create", "Neon", "--primary", "#ff0055", "--activate")
    job = studio("generate", "banner", "late", "night", "--out", str(tmp_path))
    [asset] = job["assets"]
    [file] = job["files"]

    with Image.open(file) as image:
        assert image.size == SIZES["banner"]
    assert studio("assets", "publish", asset["id"])["is_public"] is True
    assert studio("assets", "delete", asset["id"]) == {"deleted": asset["id"]}
    assert studio("assets", "list")["total"] == 0
    assert [found["id"] for found in studio("jobs")["jobs"]] == [job["id"]]


def test_doctor_finds_a_running_system_well(system: BackgroundSystem) -> None:
    settings = system.settings
    environ = environment(
        STUDIO_DATA_DIR=str(settings.data_dir),
        STUDIO_PORT=str(settings.port),
        PROMPT_PORT=str(settings.prompt_port),
        GENERATION_PORT=str(settings.generation_port),
        STORAGE_PORT=str(settings.storage_port),
    )

    result = subprocess.run(
        [*COMMAND, "doctor", "--json"], env=environ, capture_output=True, text=True, timeout=60, check=False
    )

    findings = {finding["what"]: finding["ok"] for finding in json.loads(result.stdout)}
    assert {"prompt", "generation", "storage", "gateway"} <= set(findings)
    assert all(findings.values()), result.stdout


def test_assets_and_kept_bytes_are_held_against_each_other_through_the_gateway(
    system: BackgroundSystem, studio: Studio, tmp_path: Path
) -> None:
    studio("brand-kit", "create", "Neon", "--primary", "#ff0055", "--activate")
    studio("generate", "banner", "--out", str(tmp_path))
    environ = environment(STUDIO_DATA_DIR=str(system.settings.data_dir), STUDIO_PUBLIC_URL=system.url)

    result = subprocess.run(
        [*COMMAND, "storage", "check", "--json"], env=environ, capture_output=True, text=True, timeout=60, check=False
    )

    found = json.loads(result.stdout)
    assert (result.returncode, found["problems"]) == (0, []), result.stderr
    assert found["blobs"] == found["assets"] >= 1
