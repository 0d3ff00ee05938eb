"""A running service: its health, what it tells of itself, and its background work."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from chassis.errors import Unavailable
from chassis.health import Pace
from chassis.server import StartRefused, WorkDied, running
from streamerstudio.storage.v1.asset_pb2 import Asset
from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceStub
from tests.queueing import eventually
from tests.scripted import ADA, ASSET, NAME, Script, a_service, failure, parts

SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING
QUICK = Pace(every=0.01, timeout=0.05, soon=0.005)
NAMES = pytest.mark.parametrize("name", ["", "ready"], ids=["serving", "ready"])
SCRIPT = Script()  # type: ignore[abstract]  # of the methods it leaves out, none is called


class Patient:
    """A check whose outcome a test decides."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.hangs = False
        self.asked = 0

    async def __call__(self) -> None:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error

    async def was_asked_twice(self) -> bool:
        return self.asked >= 2


@asynccontextmanager
async def health(*, pace: Pace = QUICK, **checks: Any) -> AsyncIterator[Any]:
    async with (
        running(a_service(SCRIPT, **checks), pace=pace, grace=0.1) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield HealthStub(channel)


async def becomes(stub: Any, name: str, status: int) -> None:
    """Returns once it is so."""
    async with asyncio.timeout(10):
        async for answer in stub.Watch(HealthCheckRequest(service=name)):
            if answer.status == status:
                return


@NAMES
@pytest.mark.parametrize("error", [Unavailable("away"), RuntimeError("broken"), TimeoutError()], ids=repr)
async def test_health_follows_its_check_down_and_up_again(name: str, error: Exception) -> None:
    check = Patient()
    checks: dict[str, Any] = {"serving" if name == "" else "ready": check}
    async with health(**checks) as stub:
        await becomes(stub, name, SERVING)

        check.error = error
        await becomes(stub, name, NOT_SERVING)
        other = await stub.Check(HealthCheckRequest(service="ready" if name == "" else ""))
        assert other.status == SERVING

        check.error = None
        await becomes(stub, name, SERVING)


@NAMES
async def test_a_check_that_hangs_has_failed(name: str) -> None:
    check = Patient()
    checks: dict[str, Any] = {"serving" if name == "" else "ready": check}
    async with health(**checks) as stub:
        await becomes(stub, name, SERVING)

        check.hangs = True
        await becomes(stub, name, NOT_SERVING)

        check.hangs = False
        await becomes(stub, name, SERVING)


async def test_a_check_that_hangs_does_not_hold_up_the_other() -> None:
    hanging = Patient()
    hanging.hangs = True

    async with health(pace=Pace(), serving=hanging) as stub, asyncio.timeout(2):
        await becomes(stub, "ready", SERVING)
        answer = await stub.Check(HealthCheckRequest())

    assert answer.status == NOT_SERVING


async def test_a_healthy_service_says_so_at_once() -> None:
    async with asyncio.timeout(0.5), health(pace=Pace()) as stub:
        await becomes(stub, "", SERVING)
        await becomes(stub, "ready", SERVING)


async def test_a_dependency_that_comes_a_little_later_is_seen_at_once() -> None:
    check = Patient()
    check.error = Unavailable("not yet")
    async with health(pace=Pace(), ready=check) as stub:
        await eventually(check.was_asked_twice)

        check.error = None
        async with asyncio.timeout(0.5):
            await becomes(stub, "ready", SERVING)


async def test_health_has_no_other_names() -> None:
    async with health() as stub:
        assert (await failure(stub.Check(HealthCheckRequest(service="nobody")))).code is grpc.StatusCode.NOT_FOUND


async def test_a_stopping_service_says_that_it_does_not_serve() -> None:
    async with AsyncExitStack() as channels:
        async with running(a_service(SCRIPT), pace=QUICK, grace=0.1) as port:
            stub: Any = HealthStub(await channels.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}")))
            await becomes(stub, "", SERVING)
            watch: Any = stub.Watch(HealthCheckRequest())
            assert (await watch.read()).status == SERVING
            next_answer = asyncio.create_task(watch.read())

        assert (await next_answer).status == NOT_SERVING


async def test_who_gives_notice_answers_until_it_is_over() -> None:
    order: list[str] = []

    async def drains() -> None:
        order.append("drained")

    async def says_farewell() -> None:
        order.append("farewell")

    service = a_service(SCRIPT, drain=[drains], farewell=[says_farewell])
    async with AsyncExitStack() as stack:
        stopping = AsyncExitStack()
        port = await stopping.enter_async_context(running(service, pace=QUICK, notice=2, grace=5))
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        health: Any = HealthStub(channel)
        await becomes(health, "", SERVING)
        stop = asyncio.create_task(stopping.aclose())
        await becomes(health, "", NOT_SERVING)

        assert await StorageServiceStub(channel).GetAsset(ASSET, metadata=ADA) == Asset()
        assert order == ["drained"], "work stops at once, calls after the notice"
        await stop

        assert order == ["drained", "farewell"]
        refused = await failure(StorageServiceStub(channel).GetAsset(ASSET, metadata=ADA))
        assert refused.code is grpc.StatusCode.UNAVAILABLE


async def test_who_watches_health_does_not_hold_up_the_stop() -> None:
    async with AsyncExitStack() as channels:
        async with running(a_service(SCRIPT), pace=QUICK, grace=60) as port:
            stub: Any = HealthStub(await channels.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}")))
            watches = [aiter(stub.Watch(HealthCheckRequest(service=name))) for name in ("", "ready", "nobody")]
            for watch in watches:
                await anext(watch)
            stopping = asyncio.get_running_loop().time()

        assert asyncio.get_running_loop().time() - stopping < 30
        assert (await parts(watches[0]))[-1].status == NOT_SERVING
        assert await parts(watches[2]) == []


async def test_a_name_that_nobody_knows_can_be_watched() -> None:
    async with health() as stub:
        watch = stub.Watch(HealthCheckRequest(service="nobody"))

        assert (await watch.read()).status == HealthCheckResponse.SERVICE_UNKNOWN
        watch.cancel()


async def test_reflection_lists_the_services() -> None:
    async with (
        running(a_service(SCRIPT), grace=0.1) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        stub: Any = ServerReflectionStub(channel)  # type: ignore[arg-type]  # its types know no asyncio
        (answer,) = await parts(stub.ServerReflectionInfo(iter([ServerReflectionRequest(list_services="*")])))

    named = {service.name for service in answer.list_services_response.service}
    assert named == {NAME, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


async def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(StartRefused, match=f"^SCRIPTED_PORT: port {port} is taken"):
            async with running(a_service(SCRIPT, port=port)):
                raise AssertionError("it runs")


async def test_two_services_do_not_share_a_port() -> None:
    async with running(a_service(SCRIPT), grace=0.1) as port:
        with pytest.raises(StartRefused):
            async with running(a_service(SCRIPT, port=port)):
                raise AssertionError("it runs")


async def test_work_runs_beside_the_calls_and_ends_with_them() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with running(a_service(SCRIPT, work=[work]), grace=0.1):
        await started.wait()
        assert not ended.is_set()

    assert ended.is_set()


async def test_work_that_misses_that_it_is_to_end_is_told_again() -> None:
    started, missed = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:  # as `asyncio.wait_for` may, with the result it waits for
            missed.set()
        await asyncio.Event().wait()

    async with running(a_service(SCRIPT, work=[work]), grace=0.1):
        await started.wait()
    assert missed.is_set()


async def test_work_that_is_done_is_not_work_that_died() -> None:
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    async with running(a_service(SCRIPT, work=[work]), grace=0.1):
        await done.wait()


async def test_work_that_dies_is_told_and_not_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()

    async def work() -> None:
        raise RuntimeError("dead")

    with pytest.raises(WorkDied) as death:
        async with running(a_service(SCRIPT, work=[work]), grace=0.1, stop=stop), asyncio.timeout(5):
            await stop.wait()

    assert str(death.value.__cause__) == "dead"
    assert "background work died" in caplog.text


async def test_a_drain_that_fails_or_hangs_does_not_keep_the_others_from_theirs() -> None:
    order: list[str] = []

    async def fails() -> None:
        raise RuntimeError("will not")

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            order.append("given up")

    async def drains() -> None:
        order.append("drained")

    async with asyncio.timeout(10):
        async with running(a_service(SCRIPT, drain=[fails, hangs, drains]), grace=0.1):
            pass

    assert order == ["drained", "given up"]
