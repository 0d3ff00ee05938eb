"""A service as a process: how it starts, refuses to, stops, and dies."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceStub
from tests.queueing import eventually
from tests.scripted import ADA, ASSET, failure
from tests.scripted_process import process


async def test_a_call_under_way_is_answered_before_the_process_ends(tmp_path: Path) -> None:
    gate = tmp_path / "gate"

    async def waits() -> bool:
        return gate.exists()

    async with process(SCRIPTED_GATE=str(gate)) as running:
        port = (await running.logged("listening"))["port"]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = StorageServiceStub(channel).GetAsset(ASSET, metadata=ADA)
            under_way = asyncio.ensure_future(call)
            await eventually(waits)
            running.process.send_signal(signal.SIGTERM)
            await running.logged("stopping")
            gate.unlink()

            assert (await under_way).id == "answered"
        code, said, complained = await running.ended()

    assert (code, said) == (0, "closed\n")
    assert [json.loads(line)["message"] for line in complained.splitlines()] == ["stopped"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_a_process_without_calls_ends_at_once_and_quietly(number: signal.Signals) -> None:
    async with process() as running:
        await running.logged("listening")
        running.process.send_signal(number)
        async with asyncio.timeout(3):
            code, said, complained = await running.ended()

    assert (code, said) == (0, "closed\n")
    assert {json.loads(line)["level"] for line in complained.splitlines()} == {"INFO"}


async def test_a_process_that_is_told_to_stop_while_it_starts_does() -> None:
    async with process(SCRIPTED_MOOD="never ready") as running:
        await running.printed("building")
        running.process.send_signal(signal.SIGTERM)
        code, said, complained = await running.ended()

    assert (code, said) == (0, "closed\n")
    assert [json.loads(line)["message"] for line in complained.splitlines()] == ["stopped"]


async def test_a_process_waits_for_what_it_needs_to_start_and_says_so(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    async with process(SCRIPTED_MOOD="needy", SCRIPTED_GATE=str(gate)) as running:
        waiting = await running.logged("waiting to start")
        for _ in range(3):  # what was opened is closed before each new try
            await running.printed("closed")
        gate.unlink()
        await running.logged("listening")
        running.process.send_signal(signal.SIGTERM)
        code, said, complained = await running.ended()

    assert waiting["why"] == "Unavailable: its database is down"
    assert code == 0 and said.endswith("closed\n")
    assert "waiting to start" not in complained


async def test_a_process_that_waits_to_start_ends_when_it_is_told_to(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    gate.touch()
    async with process(SCRIPTED_MOOD="needy", SCRIPTED_GATE=str(gate)) as running:
        await running.logged("waiting to start")
        running.process.send_signal(signal.SIGTERM)

        assert (await running.ended())[0] == 0


async def test_a_process_whose_work_dies_ends_so_that_it_is_started_again() -> None:
    async with process(SCRIPTED_MOOD="mortal") as running:
        code, said, complained = await running.ended()

    assert (code, said) == (1, "closed\n")
    lines = [json.loads(line) for line in complained.splitlines()]
    (death,) = [line for line in lines if line["level"] == "CRITICAL"]
    assert death["exc_info"].endswith("RuntimeError: died of hunter2")


async def test_a_process_that_cannot_give_its_work_back_says_so_and_ends() -> None:
    async with process(SCRIPTED_MOOD="stubborn") as running:
        await running.logged("listening")
        running.process.send_signal(signal.SIGTERM)
        code, said, complained = await running.ended()

    assert (code, said) == (0, "closed\n")
    assert "not drained" in complained


async def test_a_taken_port_refuses_to_start_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with process(SCRIPTED_PORT=str(port)) as running:
            code, said, complained = await running.ended()

    assert (code, said) == (2, "closed\n")
    sentence = f"scripted does not start:\nSCRIPTED_PORT: port {port} is taken by another program\n"
    assert complained.endswith(sentence)
    assert "Traceback" not in complained


async def test_bad_settings_refuse_to_start_with_a_line_for_each() -> None:
    async with process(JWT_SECRET="hunter2", NATS_URL="") as running:
        code, said, complained = await running.ended()

    assert (code, said) == (2, "")
    assert complained.splitlines() == [
        "scripted does not start:", "JWT_SECRET: must have at least 32 bytes", "NATS_URL: is not set",
    ]  # fmt: skip


async def test_a_worker_serves_its_health_alone() -> None:
    async with process("--role", "worker") as running:
        port = (await running.logged("listening"))["port"]
        await running.logged("healthy")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            health: Any = HealthStub(channel)

            assert (await health.Check(HealthCheckRequest())).status == HealthCheckResponse.SERVING
            refused = await failure(StorageServiceStub(channel).GetAsset(ASSET, metadata=ADA))
            assert refused.code is grpc.StatusCode.UNIMPLEMENTED


async def test_there_are_three_roles_and_no_other() -> None:
    async with process("--role", "boss") as running:
        code, _, complained = await running.ended()

    assert code == 2
    assert "server" in complained and "worker" in complained and "all" in complained


async def test_a_service_listens_where_it_is_told() -> None:
    async with process(LISTEN_HOST="127.0.0.2") as running:
        port = (await running.logged("listening"))["port"]

        with socket.create_connection(("127.0.0.2", port), timeout=5):
            pass
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)
