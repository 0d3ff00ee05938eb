"""How the storage service starts, or refuses to, and how healthy it says it is."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from chassis.server import Role
from chassis.settings import SettingsError
from streamerstudio.storage.v1 import storage_service_pb2 as calls
from tests.builders import FILES_SECRET, SERVICE_SECRET, USER_SECRET
from tests.crashing import Crash, Fuse, fused
from tests.databases import database_of
from tests.nats import NatsServer
from tests.pictures import a_picture
from tests.queueing import eventually
from tests.storage_parts import Parts, an_item, keys_on_disk, parts_over
from tests.storage_service import (
    NO_NATS,
    NOBODYS,
    PUBLIC_URL,
    StorageService,
    as_user,
    running_storage_service,
    settings,
)

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING
ROOT = Path(__file__).parents[2]


async def is_healthy(channel: grpc.aio.Channel, name: str, status: int) -> None:
    """Returns once the service says so."""

    async def says_so() -> bool:
        try:
            answer = await HealthStub(channel).Check(HealthCheckRequest(service=name))  # type: ignore[attr-defined]
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.NOT_FOUND  # it has not looked yet
            return False
        return bool(answer.status == status)

    await eventually(says_so)


async def test_without_nats_it_serves_and_is_not_ready_until_nats_is_there(tmp_path: Path, nats: NatsServer) -> None:
    nats.stop()
    async with running_storage_service(settings(tmp_path, nats.url)) as service:
        await is_healthy(service.channel, "", SERVING)
        await is_healthy(service.channel, "ready", NOT_SERVING)
        await service.an_asset_of("ada")

        nats.start()

        await is_healthy(service.channel, "ready", SERVING)


async def test_without_its_disk_it_serves_and_is_not_ready(tmp_path: Path, nats: NatsServer) -> None:
    async with running_storage_service(settings(tmp_path, nats.url)) as service:
        await is_healthy(service.channel, "ready", SERVING)

        rmtree(tmp_path / "blobs")

        await is_healthy(service.channel, "ready", NOT_SERVING)
        await is_healthy(service.channel, "", SERVING)


async def test_a_worker_answers_no_calls_but_health(tmp_path: Path) -> None:
    async with running_storage_service(settings(tmp_path), Role.WORKER) as service:
        await is_healthy(service.channel, "", SERVING)

        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await service.stub.GetAsset(calls.GetAssetRequest(asset_id=NOBODYS), metadata=as_user("ada"))

    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_what_a_killed_process_left_is_finished_at_the_next_start(tmp_path: Path) -> None:
    async with running_storage_service(settings(tmp_path)):
        pass  # it makes the tables
    async with database_of("storage", tmp_path) as database:
        parts = parts_over(database, tmp_path / "blobs")
        shown, deleted = [await parts.keeper.keep(an_item(), a_picture()) for _ in range(2)]
        with pytest.raises(Crash):
            await dying(parts).gallery.set_visibility("ada", shown.id, is_public=True)
        with pytest.raises(Crash):
            await dying(parts).gallery.delete_asset("ada", deleted.id)

    async with running_storage_service(settings(tmp_path)) as service:

        async def only_the_shown_one_is_left() -> bool:
            keys = keys_on_disk(tmp_path / "blobs")
            return len(keys) == 1 and keys.pop().startswith("public/")

        await eventually(only_the_shown_one_is_left)
        await eventually(lambda: is_shared(service, shown.id))


def dying(parts: Parts) -> Parts:
    """A process that is killed before it does anything to bytes."""
    return Parts(parts.store, parts.uploads, fused(parts.blobs, Fuse(0)), parts.clock)


async def is_shared(service: StorageService, asset_id: str) -> bool:
    try:
        return bool((await service.shared(asset_id)).data)
    except grpc.aio.AioRpcError as error:
        assert error.code() is grpc.StatusCode.NOT_FOUND
        return False


async def start(environ: Mapping[str, str]) -> tuple[int | None, str]:
    """Runs `python -m services.storage` to its end; the exit code and what it complained of."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.storage",
        cwd=ROOT,
        env={**os.environ, **environ},
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await process.communicate()
    return process.returncode, complaint.decode()


def environ(data_dir: Path, **given: str) -> dict[str, str]:
    known = {
        "STUDIO_DATA_DIR": str(data_dir),
        "STUDIO_PUBLIC_URL": PUBLIC_URL,
        "NATS_URL": NO_NATS,
        "JWT_SECRET": USER_SECRET,
        "SERVICE_JWT_SECRET": SERVICE_SECRET,
        "FILES_SECRET": FILES_SECRET,
        "STORAGE_PORT": "0",
    }
    return {**known, **given}


async def test_bad_settings_refuse_to_start_all_at_once(tmp_path: Path) -> None:
    code, complaint = await start(environ(tmp_path, FILES_SECRET="", STORAGE_PORT="65536", STUDIO_STORAGE="floppy"))

    assert code == 2
    assert "FILES_SECRET: is not set" in complaint
    assert "STORAGE_PORT: " in complaint
    assert "STUDIO_STORAGE: Input should be 'local'" in complaint
    assert "Traceback" not in complaint


async def test_a_taken_port_refuses_to_start(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        code, complaint = await start(environ(tmp_path, STORAGE_PORT=str(port)))

    assert code != 0
    assert str(port) in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FILES_SECRET", "too short"),
        ("SIGNED_URL_TTL", "0"),
        ("SIGNED_URL_TTL", "86401"),
        ("STUDIO_PUBLIC_URL", "studio.example"),
        ("STUDIO_RENDERS", "floppy"),
    ],
)
def test_a_setting_that_is_no_good_is_named_and_not_shown(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, **{name: value})

    assert str(refused.value).startswith(f"{name}: ")
    assert value not in str(refused.value) or value == "0"
