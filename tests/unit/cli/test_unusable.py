"""What was given and cannot be used ends a command with a sentence, and before anything is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.scripted_api import ASSET, PIXELS, Answer, ScriptedApi, Studio


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.touch()
    return path


@pytest.mark.parametrize("inside", ["", "pictures"])
def test_no_picture_is_asked_for_that_could_not_be_saved(
    studio: Studio, api: ScriptedApi, made: dict[str, Any], file: Path, inside: str
) -> None:
    result = studio("generate", "banner", "--out", str(file / inside))

    assert (result.exit_code, result.stderr.strip()) == (2, f"--out: {file / inside} cannot be written")
    assert api.asked == []


def test_a_picture_that_cannot_be_written_is_named(studio: Studio, api: ScriptedApi, file: Path) -> None:
    api.script("GET /api/v1/assets/a1", Answer({**ASSET, "url": f"{api.url}/files/y"}))
    api.script("GET /files/y", Answer(PIXELS, content_type="image/png"))

    result = studio("assets", "download", "a1", "--out", str(file))

    assert result.exit_code == 1
    assert f"{file / 'banner-a1b2c3d4.png'} cannot be written" in result.stderr


def test_words_that_are_no_text_are_not_sent(studio: Studio, api: ScriptedApi) -> None:
    result = studio("generate", "banner", "caf\udce9")

    assert result.exit_code == 2
    assert "cannot be sent" in result.stderr
    assert api.asked == []


@pytest.mark.parametrize("token", ["clé", "two\nlines"])
def test_a_token_that_is_no_header_is_not_sent(studio: Studio, api: ScriptedApi, token: str) -> None:
    result = studio("jobs", STUDIO_TOKEN=token)

    assert result.exit_code == 2
    assert "STUDIO_TOKEN" in result.stderr
    assert api.asked == []


def test_an_address_that_is_none_is_named(studio: Studio) -> None:
    result = studio("jobs", "--url", "http://[::1")

    assert (result.exit_code, result.stderr.strip()) == (2, "http://[::1 is not the address of a system")


@pytest.mark.parametrize("user", ["", "x" * 129, "two\nlines"])
def test_no_token_is_made_that_no_system_accepts(studio: Studio, user: str) -> None:
    result = studio("token", "--user", user)

    assert (result.exit_code, result.stderr.strip()) == (2, "--user: must be 1 to 128 printable characters")
    assert result.stdout == ""


def test_up_says_that_the_data_directory_is_none(studio: Studio, file: Path) -> None:
    result = studio("up", STUDIO_DATA_DIR=str(file))

    assert result.exit_code == 1
    assert result.stderr.startswith(f"STUDIO_DATA_DIR: {file} cannot be used (")


def test_doctor_says_that_the_data_directory_is_none(studio: Studio, file: Path) -> None:
    result = studio("doctor", STUDIO_DATA_DIR=str(file))

    assert result.exit_code == 1
    assert f"problem data directory: {file} cannot be written" in result.stdout
