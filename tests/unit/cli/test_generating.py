"""`studio generate` and `studio watch`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clients.cli.api import StudioApi
from clients.cli.failures import Unreachable
from clients.cli.following import follow
from deploy.local.ports import free_ports
from tests.unit.cli.scripted_api import PIXELS, Answer, ScriptedApi, Studio, events, job, refusal


def test_generate_waits_for_the_job_and_downloads_its_pictures(
    studio: Studio, api: ScriptedApi, made: dict[str, Any], tmp_path: Path
) -> None:
    result = studio("generate", "banner", "late", "night", "--count", "1", "--seed", "7", "--out", str(tmp_path))

    assert result.exit_code == 0, result.output
    assert (tmp_path / "banner-a1b2c3d4.png").read_bytes() == PIXELS
    wanted = {"asset_type": "banner", "custom_prompt": "late night", "count": 1, "seed": 7}
    assert api.bodies("POST /api/v1/generate") == [wanted]
    assert "1200×480" in result.stdout


def test_the_token_goes_to_the_api_and_not_to_where_files_are(
    studio: Studio, api: ScriptedApi, made: dict[str, Any], tmp_path: Path
) -> None:
    studio("generate", "banner", "--out", str(tmp_path))

    sent = {asked.call: asked.headers.get("authorization") for asked in api.asked}
    assert sent == {
        "POST /api/v1/generate": "Bearer the-token",
        "GET /api/v1/jobs/j1/stream": "Bearer the-token",
        "GET /files/x.png?token=t": None,
    }


def test_json_is_all_there_is_on_standard_output(studio: Studio, made: dict[str, Any], tmp_path: Path) -> None:
    result = studio("generate", "banner", "--out", str(tmp_path), "--json")

    assert json.loads(result.stdout) == {**made, "files": [str(tmp_path / "banner-a1b2c3d4.png")]}
    assert result.stderr == ""


def test_generate_without_waiting_prints_the_id_alone(studio: Studio, api: ScriptedApi, made: dict[str, Any]) -> None:
    result = studio("generate", "banner", "--no-wait")

    assert result.stdout == "j1\n"
    assert [asked.call for asked in api.asked] == ["POST /api/v1/generate"]


def test_a_failed_job_ends_with_its_own_sentence_and_exit_code_1(
    studio: Studio, api: ScriptedApi, made: dict[str, Any]
) -> None:
    failed = job("failed", 40, error_message="The picture was refused by its maker.")
    api.script("GET /api/v1/jobs/j1/stream", events({"event_id": "2", "type": "failed", "job": failed}))

    result = studio("generate", "banner")

    assert result.exit_code == 1
    assert "job j1 is failed: The picture was refused by its maker." in result.stderr


def test_a_partial_job_leaves_what_was_made_and_exit_code_1(
    studio: Studio, api: ScriptedApi, made: dict[str, Any], tmp_path: Path
) -> None:
    partial = {**made, "status": "partial", "error_message": "1 of 2 pictures could not be made."}
    api.script("GET /api/v1/jobs/j1/stream", events({"event_id": "2", "type": "completed", "job": partial}))

    result = studio("generate", "banner", "--count", "2", "--out", str(tmp_path))

    assert result.exit_code == 1
    assert (tmp_path / "banner-a1b2c3d4.png").exists()
    assert "1 of 2 pictures could not be made." in result.stderr


def test_a_stream_that_breaks_off_is_replaced_by_asking(studio: Studio, api: ScriptedApi, made: dict[str, Any]) -> None:
    api.script(
        "GET /api/v1/jobs/j1/stream", events({"event_id": "1", "type": "progress", "job": job("processing", 40)})
    )
    api.script("GET /api/v1/jobs/j1", Answer(made))

    result = studio("watch", "j1", "--json")

    assert result.exit_code == 0
    assert [json.loads(line)["progress"] for line in result.stdout.splitlines()] == [40, 100]


def test_a_job_is_asked_for_again_until_it_ends_when_there_is_no_stream(api: ScriptedApi) -> None:
    api.script("GET /api/v1/jobs/j1/stream", refusal(503, "UNAVAILABLE", "not now"))
    api.script(
        "GET /api/v1/jobs/j1", Answer(job("queued", 0)), Answer(job("processing", 40)), Answer(job("failed", 40))
    )
    pauses: list[float] = []

    with StudioApi(api.url, "the-token") as client:
        states = [found["status"] for found in follow(client, "j1", pause=pauses.append)]

    assert states == ["queued", "processing", "failed"]
    assert len(pauses) == 2


def test_a_job_is_not_given_up_while_the_system_is_started_again(api: ScriptedApi) -> None:
    down = refusal(503, "UNAVAILABLE", "something we need is down")
    api.script("GET /api/v1/jobs/j1/stream", down)
    api.script("GET /api/v1/jobs/j1", down, Answer(b"", 502), Answer(job("completed", 100)))

    with StudioApi(api.url, "the-token") as client:
        states = [found["status"] for found in follow(client, "j1", pause=lambda seconds: None)]

    assert states == ["completed"]


def test_a_system_that_stays_away_is_given_up_in_the_end() -> None:
    [port] = free_ports(1)
    pauses: list[float] = []

    with StudioApi(f"http://127.0.0.1:{port}", "the-token") as client, pytest.raises(Unreachable):
        list(follow(client, "j1", pause=pauses.append))

    assert 20 <= sum(pauses) <= 60


def test_fewer_bytes_than_the_asset_has_are_not_written(
    studio: Studio, api: ScriptedApi, made: dict[str, Any], tmp_path: Path
) -> None:
    api.script("GET /files/x.png?token=t", Answer(PIXELS[:-1], content_type="image/png"))

    result = studio("generate", "banner", "--out", str(tmp_path / "out"))

    assert result.exit_code == 1
    assert not (tmp_path / "out").exists()
