"""`studio uploads`, and kits that name one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.scripted_api import Answer, ScriptedApi, Studio, refusal
from tests.unit.cli.test_commands import KIT

UPLOAD = {
    "id": "u1", "user_id": "ada", "content_type": "image/jpeg", "width": 640, "height": 480, "file_size": 2048,
    "url": "https://x/files/uploads/1?token=t", "created_at": "2026-01-01T10:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content_type"), [("a.png", "image/png"), ("a.jpg", "image/jpeg"), ("a", "application/octet-stream")]
)
def test_a_file_is_sent_as_it_is(
    studio: Studio, api: ScriptedApi, tmp_path: Path, name: str, content_type: str
) -> None:
    data = bytes(range(256)) * 1000
    (tmp_path / name).write_bytes(data)
    api.script("POST /api/v1/uploads", Answer(UPLOAD, 201))

    shown, script = (
        studio("uploads", "add", str(tmp_path / name)),
        studio("uploads", "add", str(tmp_path / name), "--json"),
    )

    assert api.bodies("POST /api/v1/uploads") == [data, data]
    assert api.asked[0].headers["content-type"] == content_type
    assert api.asked[0].headers["authorization"] == "Bearer the-token"
    assert "640×480" in shown.stdout and "--style-reference upload:u1" in shown.stdout
    assert json.loads(script.stdout) == UPLOAD


def test_what_the_api_says_of_a_picture_is_shown(studio: Studio, api: ScriptedApi, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    api.script("POST /api/v1/uploads", refusal(400, "INVALID_REQUEST", "data: must be a whole picture"))

    result = studio("uploads", "add", str(tmp_path / "a.png"))

    assert (result.exit_code, result.stderr.strip()) == (1, "data: must be a whole picture")


def test_a_file_that_is_not_there_is_exit_code_2_and_nobody_is_asked(studio: Studio, api: ScriptedApi) -> None:
    assert studio("uploads", "add", "no-such-file.png").exit_code == 2
    assert api.asked == []


def test_uploads_are_listed(studio: Studio, api: ScriptedApi) -> None:
    page = {"uploads": [UPLOAD], "total": 1, "limit": 5, "offset": 0}
    api.script("GET /api/v1/uploads?limit=5", Answer(page))

    shown, script = studio("uploads", "list", "--limit", "5"), studio("uploads", "list", "--limit", "5", "--json")

    assert shown.stdout.split()[:5] == ["ID", "TYPE", "PIXELS", "SIZE", "CREATED"]
    assert "u1" in shown.stdout and "640×480" in shown.stdout
    assert json.loads(script.stdout) == page


def test_a_deleted_upload_answers_nothing_and_that_is_well(studio: Studio, api: ScriptedApi) -> None:
    api.script("DELETE /api/v1/uploads/u1", Answer(None, 204))

    assert json.loads(studio("uploads", "delete", "u1", "--json").stdout) == {"deleted": "u1"}
    assert "upload u1 is deleted" in studio("uploads", "delete", "u1").stderr


@pytest.mark.parametrize("option", ["--style", "--style-reference"])
def test_a_kit_may_name_an_upload(studio: Studio, api: ScriptedApi, option: str) -> None:
    api.script("PUT /api/v1/brand-kits/k1", Answer({**KIT, "style_reference": "upload:u1 grainy"}))

    result = studio("brand-kit", "update", "k1", option, "upload:u1 grainy")

    assert api.bodies("PUT /api/v1/brand-kits/k1") == [{"style_reference": "upload:u1 grainy"}]
    assert "upload:u1 grainy" in result.stdout
