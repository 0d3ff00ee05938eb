"""How the prompt service starts, or refuses to, and how healthy it says it is."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from chassis.server import Role, running
from services.prompt import wiring
from services.prompt.engine import TEMPLATES
from streamerstudio.prompt.v1.brand_kit_service_pb2 import ListBrandKitsRequest
from streamerstudio.prompt.v1.brand_kit_service_pb2_grpc import BrandKitServiceStub
from streamerstudio.prompt.v1.prompt_service_pb2 import GetTemplateRequest
from tests.builders import SERVICE_SECRET, USER_SECRET
from tests.nats import start_nats
from tests.prompt_service import NO_NATS, PromptService, as_user, refusal, running_prompt_service, settings
from tests.queueing import eventually

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


async def test_without_nats_it_serves_and_waits_for_it_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = start_nats(tmp_path / "nats")
    server.stop()
    async with running_prompt_service(settings(tmp_path, server.url)) as service:
        await is_healthy(service.channel, "", SERVING)
        await is_healthy(service.channel, "ready", NOT_SERVING)
        await service.a_kit_of("ada")
        assert f"waiting for NATS at nats://127.0.0.1:{server.port}" in caplog.text

        server.start()

        await is_healthy(service.channel, "ready", SERVING)
    server.stop()


async def test_without_its_database_it_answers_unavailable_and_does_not_serve(tmp_path: Path) -> None:
    stack = AsyncExitStack()
    async with running(await wiring.build(settings(tmp_path), Role.SERVER, stack)) as port:
        await stack.aclose()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            kits = BrandKitServiceStub(channel).ListBrandKits(ListBrandKitsRequest(), metadata=as_user("ada"))
            refused = await refusal(kits)
            await is_healthy(channel, "", NOT_SERVING)

    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
    assert refused.message == "the database is not available"


async def test_a_worker_answers_no_calls_but_health(tmp_path: Path) -> None:
    async with running_prompt_service(settings(tmp_path), Role.WORKER) as service:
        await is_healthy(service.channel, "", SERVING)

        assert await code_of_a_call(service) is grpc.StatusCode.UNIMPLEMENTED


async def code_of_a_call(service: PromptService) -> grpc.StatusCode:
    try:
        await service.kits_of("ada")
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def start(environ: Mapping[str, str]) -> tuple[int | None, str]:
    """Runs `python -m services.prompt` to its end; the exit code and what it complained of."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.prompt", cwd=ROOT, env={**os.environ, **environ}, stderr=asyncio.subprocess.PIPE
    )
    _, complaint = await process.communicate()
    return process.returncode, complaint.decode()


def environ(data_dir: Path) -> dict[str, str]:
    return {
        "STUDIO_DATA_DIR": str(data_dir),
        "NATS_URL": NO_NATS,
        "JWT_SECRET": USER_SECRET,
        "SERVICE_JWT_SECRET": SERVICE_SECRET,
        "PROMPT_PORT": "0",
    }


async def test_bad_settings_refuse_to_start_all_at_once(tmp_path: Path) -> None:
    code, complaint = await start({**environ(tmp_path), "PROMPT_PORT": "65536", "NATS_URL": ""})

    assert code == 2
    assert "NATS_URL: is not set" in complaint
    assert "PROMPT_PORT: " in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize(
    ("place", "spoil", "complaint"),
    [
        ("banner/v1.0.yaml", lambda text: b"mood: dark\n" + text, ":1: unknown key 'mood'"),
        ("banner/v1.0.yaml", lambda text: text.replace(b"name: banner", b"name: ["), ":4: not YAML: "),
        ("banner/v1.0.yaml", lambda text: text.replace(b"{tone}", b"{mood}"), ":33: placeholder tone is declared"),
        ("banner/v1.0.yaml", lambda text: text.replace(b"a game", b"a g\xe4me"), ":5: is not UTF-8"),
        ("banner/v1.0.yaml", lambda text: b"x: &x [1]\n" + text, ":1: anchors and aliases have no place"),
        ("banner/v1.0.yaml", lambda text: text * 20, ": is larger than 32768 bytes"),
        ("banner/v1.0.yml", lambda text: text, ": its path must be <asset_type>/v<major>.<minor>.yaml"),
        ("banner/v1.00.yaml", lambda text: text, ": its path must be <asset_type>/v<major>.<minor>.yaml"),
    ],
)  # fmt: skip
async def test_a_bad_template_refuses_to_start_with_its_file_line_and_reason(
    tmp_path: Path, place: str, spoil: Callable[[bytes], bytes], complaint: str
) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    template = tmp_path / "templates" / place
    template.write_bytes(spoil((TEMPLATES / "banner/v1.0.yaml").read_bytes()))

    code, said = await start({**environ(tmp_path / "data"), "TEMPLATES_DIR": str(tmp_path / "templates")})

    assert code == 2
    assert f"{template}{complaint}" in said
    assert "Traceback" not in said
    assert not (tmp_path / "data").exists()


async def test_templates_that_leave_out_an_asset_type_refuse_to_start(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    shutil.rmtree(tmp_path / "templates" / "overlay")

    code, said = await start({**environ(tmp_path / "data"), "TEMPLATES_DIR": str(tmp_path / "templates")})

    assert code == 2
    assert f"{tmp_path / 'templates'}: holds no template for overlay" in said


async def test_templates_are_not_read_again_unless_that_is_asked_for(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        plain = await wiring.build(settings(tmp_path / "data"), Role.SERVER, stack)
        reloading = await wiring.build(settings(tmp_path / "more", TEMPLATES_RELOAD="true"), Role.SERVER, stack)

    assert (len(plain.work), len(reloading.work)) == (1, 2)


async def test_templates_are_read_again_where_that_is_asked_for(tmp_path: Path) -> None:
    directory = tmp_path / "templates"
    shutil.copytree(TEMPLATES, directory)
    given = settings(tmp_path / "data", TEMPLATES_DIR=str(directory), TEMPLATES_RELOAD="true")
    async with running_prompt_service(given) as service:
        text = (directory / "banner/v1.1.yaml").read_text().replace('version: "1.1"', 'version: "1.2"')
        (directory / "banner/v1.2.yaml").write_text(text)

        async def is_new() -> bool:
            latest = GetTemplateRequest(asset_type="banner", version="latest")
            return (await service.prompts.GetTemplate(latest, metadata=as_user("ada"))).version == "v1.2"

        await eventually(is_new)


async def test_a_taken_port_refuses_to_start(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        code, complaint = await start({**environ(tmp_path), "PROMPT_PORT": str(port)})

    assert code != 0
    assert f"port {port} is taken" in complaint
    assert "Traceback" not in complaint
