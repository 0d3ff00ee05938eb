"""Kits, jobs, assets and tokens, and what every command does when something is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chassis.auth import TokenVerifier
from deploy.local.ports import free_ports
from deploy.local.secrets import keep_secrets
from tests.unit.cli.scripted_api import ASSET, PIXELS, Answer, ScriptedApi, Studio, job, refusal

KIT = {
    "id": "k1",
    "name": "Kit [bold]one[/bold]",
    "is_active": False,
    "primary_colors": ["#FF0055"],
    "accent_colors": [],
    "fonts": {"headline": "Montserrat", "body": "Inter"},
    "tone": "casual",
    "style_reference": "",
}


def test_a_brand_kit_is_created_and_made_the_active_one(studio: Studio, api: ScriptedApi) -> None:
    api.script("POST /api/v1/brand-kits", Answer(KIT, 201))
    api.script("POST /api/v1/brand-kits/k1/activate", Answer({**KIT, "is_active": True}))

    result = studio(
        "brand-kit", "create", "Kit", "--primary", "#ff0055", "--primary", "#000000", "--activate", "--json"
    )

    assert json.loads(result.stdout)["is_active"] is True
    [sent] = api.bodies("POST /api/v1/brand-kits")
    assert sent == {"name": "Kit", "primary_colors": ["#ff0055", "#000000"], "fonts": KIT["fonts"]}


def test_an_update_sends_what_is_given_and_no_more(studio: Studio, api: ScriptedApi) -> None:
    api.script("PUT /api/v1/brand-kits/k1", Answer(KIT))

    studio("brand-kit", "update", "k1", "--headline", "Anton", "--no-accent", "--logo", "")

    assert api.bodies("PUT /api/v1/brand-kits/k1") == [
        {"fonts": {"headline": "Anton"}, "accent_colors": [], "logo_url": ""}
    ]


def test_a_name_is_shown_as_it_was_typed(studio: Studio, api: ScriptedApi) -> None:
    api.script("GET /api/v1/brand-kits", Answer({"brand_kits": [KIT], "total": 1}))

    result = studio("brand-kit", "list")

    assert "Kit [bold]one[/bold]" in result.stdout


def test_a_deleted_brand_kit_answers_nothing_and_that_is_well(studio: Studio, api: ScriptedApi) -> None:
    api.script("DELETE /api/v1/brand-kits/k1", Answer(None, 204))

    result = studio("brand-kit", "delete", "k1", "--json")

    assert json.loads(result.stdout) == {"deleted": "k1"}


def test_jobs_are_listed_by_status(studio: Studio, api: ScriptedApi) -> None:
    page = {"jobs": [job("failed", 40, error_message="No.")], "total": 1, "limit": 5, "offset": 0}
    api.script("GET /api/v1/jobs?status=failed&limit=5", Answer(page))

    result = studio("jobs", "--status", "failed", "--limit", "5")

    assert result.stdout.split()[:5] == ["ID", "TYPE", "STATUS", "DONE", "CREATED"]
    assert "j1" in result.stdout and "No." in result.stdout


def test_json_of_a_list_is_what_the_api_said(studio: Studio, api: ScriptedApi) -> None:
    page = {"jobs": [], "total": 0, "limit": 20, "offset": 0}
    api.script("GET /api/v1/jobs", Answer(page))

    assert json.loads(studio("jobs", "--json").stdout) == page


def test_a_job_is_shown_with_its_assets(studio: Studio, api: ScriptedApi, made: dict[str, Any]) -> None:
    api.script("GET /api/v1/jobs/j1", Answer(made))

    result = studio("jobs", "show", "j1")

    assert "completed" in result.stdout and f"{api.url}/files/x.png?token=t" in result.stdout


def test_a_published_asset_comes_with_the_link_to_share(studio: Studio, api: ScriptedApi) -> None:
    api.script("PUT /api/v1/assets/a1/visibility", Answer({**ASSET, "id": "a1", "is_public": True}))

    result = studio("assets", "publish", "a1")

    assert f"{api.url}/asset/a1" in result.stdout
    assert api.bodies("PUT /api/v1/assets/a1/visibility") == [{"is_public": True}]


def test_an_asset_is_downloaded(studio: Studio, api: ScriptedApi, tmp_path: Path) -> None:
    api.script("GET /api/v1/assets/a1", Answer({**ASSET, "url": f"{api.url}/files/y"}))
    api.script("GET /files/y", Answer(PIXELS, content_type="image/webp"))

    result = studio("assets", "download", "a1", "--out", str(tmp_path))

    assert Path(result.stdout.strip()).read_bytes() == PIXELS
    assert result.stdout.strip().endswith(".webp")


def test_the_api_s_own_sentence_is_shown_with_exit_code_1(studio: Studio, api: ScriptedApi) -> None:
    api.script("GET /api/v1/jobs/j9", refusal(404, "JOB_NOT_FOUND", "job j9 was not found"))

    result = studio("jobs", "show", "j9")

    assert (result.exit_code, result.stderr.strip()) == (1, "job j9 was not found")


def test_an_answer_that_is_not_the_api_s_is_told_by_its_status(studio: Studio, api: ScriptedApi) -> None:
    api.script("GET /api/v1/jobs", Answer(b"<html>Bad Gateway</html>", 502, "text/html"))

    result = studio("jobs")

    assert (result.exit_code, result.stderr.strip()) == (1, "/api/v1/jobs answered HTTP 502")


def test_nobody_at_the_address_is_exit_code_3_and_no_traceback(studio: Studio) -> None:
    [port] = free_ports(1)

    result = studio("jobs", "--url", f"http://127.0.0.1:{port}")

    assert result.exit_code == 3
    assert f"cannot reach http://127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    "arguments", [["generate", "poster"], ["generate"], ["no-such-command"], ["jobs", "--limit", "x"]]
)
def test_a_command_that_is_not_understood_is_exit_code_2(studio: Studio, arguments: list[str]) -> None:
    assert studio(*arguments).exit_code == 2


def test_a_bad_variable_is_named(studio: Studio) -> None:
    result = studio("jobs", STUDIO_PORT="eighty")

    assert result.exit_code == 2
    assert "STUDIO_PORT" in result.stderr


async def test_a_token_made_here_is_one_the_system_accepts(studio: Studio, tmp_path: Path) -> None:
    kept = keep_secrets(tmp_path / "data")

    result = studio("token", "--user", "ninja", "--tier", "pro", "--ttl", "60")

    verifier = TokenVerifier(user_secret=kept.jwt_secret, service_secret=kept.service_jwt_secret)
    caller = await verifier.verify(f"Bearer {result.stdout.strip()}")
    assert (caller.user_id, caller.tier) == ("ninja", "pro")


def test_without_a_token_one_is_made_from_the_local_secrets(studio: Studio, api: ScriptedApi, tmp_path: Path) -> None:
    keep_secrets(tmp_path / "data")
    api.script("GET /api/v1/jobs", Answer({"jobs": [], "total": 0}))

    result = studio("jobs", STUDIO_TOKEN="")

    assert result.exit_code == 0
    assert api.asked[0].headers["authorization"].startswith("Bearer ey")


def test_where_no_system_was_started_there_is_no_token_to_make(studio: Studio, tmp_path: Path) -> None:
    result = studio("token")

    assert result.exit_code == 2
    assert "holds no secrets" in result.stderr
    assert not (tmp_path / "data").exists()
