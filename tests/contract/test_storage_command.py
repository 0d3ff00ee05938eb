"""`studio storage check` against a real storage service."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from shutil import rmtree

import pytest
from google.api.httpbody_pb2 import HttpBody
from typer.testing import CliRunner, Result

from clients.cli.main import app
from deploy.local.ports import free_ports
from deploy.local.secrets import keep_secrets
from services.storage.domain import new_key
from streamerstudio.storage.v1.upload_service_pb2_grpc import UploadServiceStub
from tests.builders import SERVICE_SECRET, service_token
from tests.pictures import a_picture
from tests.storage_service import StorageService, as_user, running_storage_service, settings

Studio = Callable[..., Awaitable[Result]]
TWO_DAYS_AGO = (1_000_000_000.0,) * 2


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[StorageService]:
    async with running_storage_service(settings(tmp_path)) as service:
        yield service


@pytest.fixture
def studio(service: StorageService, tmp_path: Path) -> Studio:
    """Runs `studio storage check` as whoever runs the system."""

    async def run(*arguments: str, **environ: str) -> Result:
        known = {
            "STUDIO_PUBLIC_URL": f"http://127.0.0.1:{service.port}",
            "SERVICE_TOKEN": service_token(),
            "STUDIO_DATA_DIR": str(tmp_path / "elsewhere"),
        }
        command = ["storage", "check", *arguments]
        return await asyncio.to_thread(CliRunner().invoke, app, command, env={**known, **environ})

    return run


def put_orphan(tmp_path: Path, *, is_old: bool) -> str:
    key = new_key(is_public=False)
    path = tmp_path / "blobs" / key
    path.write_bytes(b"nobody's")
    if is_old:
        os.utime(path, TWO_DAYS_AGO)
    return key


async def test_where_all_is_well_the_sum_is_told(studio: Studio, service: StorageService) -> None:
    await service.an_asset_of("ada")

    shown, script = await studio(), await studio("--json")

    assert (shown.exit_code, shown.stdout, shown.stderr.strip()) == (0, "", "1 blobs, 1 assets, 0 uploads, 0 problems")
    assert (script.exit_code, json.loads(script.stdout)) == (0, {"blobs": 1, "assets": 1, "uploads": 0, "problems": []})


async def test_an_upload_that_is_lost_is_shown_with_its_id(
    studio: Studio, service: StorageService, tmp_path: Path
) -> None:
    picture = [HttpBody(data=a_picture())]
    upload = await UploadServiceStub(service.channel).UploadImage(iter(picture), metadata=as_user("ada"))
    for blob in (tmp_path / "blobs" / "uploads").iterdir():
        blob.unlink()

    shown, script = await studio(), await studio("--json")

    assert (shown.exit_code, script.exit_code) == (1, 1)
    assert shown.stdout.split()[5:8] == ["lost", "upload", upload.id]
    assert "0 blobs, 0 assets, 1 uploads, 1 problems" in shown.stderr
    [problem] = json.loads(script.stdout)["problems"]
    assert (problem["kind"], problem["upload_id"]) == ("lost", upload.id) and "asset_id" not in problem


async def test_what_is_wrong_is_shown_with_exit_code_1_until_it_is_repaired(studio: Studio, tmp_path: Path) -> None:
    key = put_orphan(tmp_path, is_old=True)
    problem = {"kind": "orphan", "key": key, "size": "8", "repaired": False}

    shown, script = await studio(), await studio("--json")
    repaired, after = await studio("--repair", "--json"), await studio("--json")

    assert (shown.exit_code, script.exit_code, repaired.exit_code, after.exit_code) == (1, 1, 0, 0)
    assert shown.stdout.split() == ["PROBLEM", "SIZE", "OF", "KEY", "REPAIRED", "orphan", "8", "B", key, "no"]
    assert "--repair deletes those that are a day old" in shown.stderr
    assert json.loads(script.stdout)["problems"] == [problem]
    assert json.loads(repaired.stdout)["problems"] == [{**problem, "repaired": True}]
    assert json.loads(after.stdout) == {"blobs": 0, "assets": 0, "uploads": 0, "problems": []}


async def test_what_may_yet_be_claimed_is_not_repaired(studio: Studio, tmp_path: Path) -> None:
    key = put_orphan(tmp_path, is_old=False)

    assert (await studio("--repair")).exit_code == 1
    assert (tmp_path / "blobs" / key).exists()


async def test_a_lost_picture_is_shown_with_its_asset(studio: Studio, service: StorageService, tmp_path: Path) -> None:
    asset = await service.an_asset_of("ada")
    key = asset.url.partition("/files/")[2].partition("?")[0]
    (tmp_path / "blobs" / key).unlink()

    result = await studio("--quick", "--repair", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"] == [
        {"kind": "lost", "key": key, "asset_id": asset.id, "repaired": False}
    ]


async def test_nobody_at_the_address_is_exit_code_3(studio: Studio) -> None:
    [port] = free_ports(1)

    result = await studio("--url", f"http://127.0.0.1:{port}")

    assert result.exit_code == 3
    assert f"cannot reach http://127.0.0.1:{port}" in result.stderr


async def test_a_place_that_cannot_be_used_is_no_clean_bill(studio: Studio, tmp_path: Path) -> None:
    rmtree(tmp_path / "blobs")

    result = await studio()

    assert result.exit_code == 1
    assert result.stderr.strip() == "the place for pictures cannot be used right now"


async def test_a_token_that_is_not_accepted_is_said(studio: Studio) -> None:
    result = await studio(SERVICE_TOKEN=service_token(secret="another-" * 4))

    assert (result.exit_code, result.stdout) == (1, "")
    assert "token" in result.stderr


async def test_a_token_is_made_from_the_secret_that_is_there(studio: Studio, tmp_path: Path) -> None:
    assert (await studio(SERVICE_TOKEN="", SERVICE_JWT_SECRET=SERVICE_SECRET)).exit_code == 0

    none = await studio(SERVICE_TOKEN="")
    keep_secrets(tmp_path / "elsewhere")
    anothers = await studio(SERVICE_TOKEN="")

    assert none.exit_code == 2 and "or set SERVICE_TOKEN" in none.stderr
    assert anothers.exit_code == 1 and "token" in anothers.stderr
