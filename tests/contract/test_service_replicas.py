"""Generation calls another service that has two replicas: both are used, and one may stop or be sick."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from chassis.auth import Access, grpc_methods
from chassis.errors import Unavailable
from chassis.health import Pace
from chassis.server import running
from chassis.targets import grpc_target
from services.generation.grpc_clients import AssetClient, open_channel
from streamerstudio.storage.v1.asset_pb2 import Asset, AssetList
from streamerstudio.storage.v1.storage_service_pb2 import ListAssetsRequest
from tests.builders import user_token
from tests.queueing import eventually
from tests.scripted import METHODS, NAME, Context, Script, a_service

TOKEN = user_token("ada")
QUICK = Pace(every=0.01, timeout=1, soon=0.005)


@dataclass(frozen=True)
class Named(Script):
    """Lists one asset that is called like the replica."""

    name: str = ""

    async def ListAssets(self, request: ListAssetsRequest, context: Context) -> AssetList:
        return AssetList(assets=[Asset(id=self.name)])


@dataclass
class Mood:
    """A health check whose outcome a test decides."""

    error: Exception | None = None

    async def __call__(self) -> None:
        if self.error is not None:
            raise self.error


@dataclass
class Replicas:
    """Two of them, and whoever calls them."""

    client: AssetClient
    stops: list[AsyncExitStack]
    moods: list[Mood]
    answered: Counter[str] = field(default_factory=Counter)

    async def call(self) -> str:
        [asset] = await self.client.of_job("4f0c0000-0000-4000-8000-000000000000", TOKEN)
        self.answered[asset.id] += 1
        return asset.id

    async def both_answer(self) -> bool:
        await self.call()
        return len(self.answered) == 2

    async def only_the_second_answers(self) -> bool:
        return {await self.call() for _ in range(10)} == {"second"}


@asynccontextmanager
async def two_replicas(notice: float = 0.0) -> AsyncIterator[Replicas]:
    """The first one gives notice."""
    async with AsyncExitStack() as stack:
        stops, moods, ports = [], [], []
        for name, seconds in (("first", notice), ("second", 0.0)):
            script, mood, stop = Named(name=name), Mood(), AsyncExitStack()  # type: ignore[abstract]
            methods = {**METHODS, **grpc_methods(NAME, {"ListAssets": Access.USER})}
            service = a_service(script, methods=methods, serving=mood)
            stack.push_async_exit(stop)
            ports.append(
                await stop.enter_async_context(running(service, pace=QUICK, notice=seconds, grace=seconds + 1))
            )
            stops.append(stop)
            moods.append(mood)
        target = grpc_target(",".join(f"127.0.0.1:{port}" for port in ports))
        channel = await stack.enter_async_context(open_channel(target))
        replicas = Replicas(AssetClient(channel), stops, moods)
        await eventually(replicas.both_answer)
        yield replicas


async def test_one_that_gives_notice_is_left_before_it_refuses_calls() -> None:
    async with two_replicas(notice=3) as replicas:
        stop = asyncio.create_task(replicas.stops[0].aclose())

        await eventually(replicas.only_the_second_answers)

        assert not stop.done()
        await stop


async def test_one_that_stops_without_notice_fails_no_read() -> None:
    async with two_replicas() as replicas:
        stop = asyncio.create_task(replicas.stops[0].aclose())

        answers = [await replicas.call() for _ in range(200)]
        await stop

    assert answers[-1] == "second"


async def test_one_that_cannot_serve_is_left_until_it_can() -> None:
    async with two_replicas() as replicas:
        replicas.moods[0].error = Unavailable("no database")
        await eventually(replicas.only_the_second_answers)

        replicas.moods[0].error = None
        replicas.answered.clear()
        await eventually(replicas.both_answer)


async def test_with_both_away_it_says_so_and_finds_them_again() -> None:
    async with two_replicas() as replicas:
        for mood in replicas.moods:
            mood.error = Unavailable("no database")

        async def nobody_answers() -> bool:
            try:
                await replicas.call()
            except Unavailable:
                return True
            return False

        await eventually(nobody_answers)

        for mood in replicas.moods:
            mood.error = None
        replicas.answered.clear()

        async def both_answer() -> bool:
            return not await nobody_answers() and len(replicas.answered) == 2

        await eventually(both_answer)
