"""What the steps of a job cost at the least: each alone, by the shortest way there is to do it durably.

A job is accepted by an echo behind the gateway. It takes six transactions (job and item; the call to be paid; what
became of it; the asset's row; that it is stored; that the job is over), four messages, two requests to the image API,
one look at the picture, and two files: the render and the asset.
"""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import sqlite3
import tempfile
import time
import uuid
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import nats
from nats.js.api import RetentionPolicy, StorageType
from PIL import Image, ImageOps

from benchmarks.connection import Connection
from benchmarks.contenders.contender import Contender
from benchmarks.image_api import WRONG, picture
from chassis.files import sync_directory, write_synced
from services.generation.domain import ASSET_DIMENSIONS, AssetType
from tests.nats import PASSWORD, USER, start_nats

STEPS = {"accept": 1, "transaction": 6, "publish": 4, "image API": 1, "pixels": 1, "file": 2}
"""How often each is done for one job."""
CONFORMED = {**STEPS, "pixels": 0, "pixels conformed": 1}
AT_ONCE = 8
ROW = b"x" * 300
MESSAGE = b"m" * 300
SIZE = ASSET_DIMENSIONS[AssetType.THUMBNAIL]
Step = Callable[[], Awaitable[object]]
Opened = Callable[[Path, str, Contender], AbstractAsyncContextManager[Step]]


@dataclass(frozen=True, slots=True)
class Floor:
    """Of one step."""

    alone: float
    """Milliseconds, when nothing else goes on."""
    rate: float
    """How many a second, when several go on at once."""


def latency(floors: Mapping[str, Floor], steps: Mapping[str, int]) -> float:
    """Milliseconds of a job, its steps one after the other."""
    return sum(floors[step].alone * count for step, count in steps.items())


def throughput(floors: Mapping[str, Floor], steps: Mapping[str, int]) -> float:
    """Jobs a second, if each kind of step had the machine for itself in turn."""
    return 1 / sum(count / floors[step].rate for step, count in steps.items())


async def measure_floors(directory: Path, image_api: str, echo: Contender, seconds: float) -> dict[str, Floor]:
    """Each for so many seconds alone, and as many at once."""
    found = {}
    for name, opened in _STEPS.items():
        with tempfile.TemporaryDirectory(dir=directory) as place:
            async with opened(Path(place), image_api, echo) as step:
                found[name] = await _measured(step, seconds, 1 if name in _ONE_AT_A_TIME else AT_ONCE)
    return found


async def _measured(step: Step, seconds: float, at_once: int) -> Floor:
    await step()
    began, times = time.perf_counter(), []
    while time.perf_counter() - began < seconds:
        start = time.perf_counter()
        await step()
        times.append(time.perf_counter() - start)
    alone = sorted(times)[len(times) // 2]
    if at_once == 1:
        return Floor(alone * 1000, 1 / alone)
    began, done = time.perf_counter(), 0

    async def again() -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await step()
            done += 1

    await asyncio.gather(*(again() for _ in range(at_once)))
    return Floor(alone * 1000, done / (time.perf_counter() - began))


@asynccontextmanager
async def _accepting(_: Path, __: str, echo: Contender) -> AsyncIterator[Step]:
    body = {"asset_type": "thumbnail", "brand_kit_id": str(uuid.uuid4()), "custom_prompt": "Ranked finals tonight"}
    connections = [await echo.user("somebody") for _ in range(AT_ONCE)]

    async def accept() -> None:
        connection = connections.pop()
        await connection.post("/api/v1/generate", body)
        connections.append(connection)

    yield accept
    for connection in connections:
        await connection.close()


@asynccontextmanager
async def _committing(directory: Path, _: str, __: Contender) -> AsyncIterator[Step]:
    with closing(sqlite3.connect(directory / "floor.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE rows (id TEXT PRIMARY KEY, data BLOB)")

        async def commit() -> None:
            database.execute("INSERT INTO rows VALUES (?, ?)", (str(uuid.uuid4()), ROW))

        yield commit


@asynccontextmanager
async def _publishing(directory: Path, _: str, __: Contender) -> AsyncIterator[Step]:
    server = start_nats(directory / "nats")
    try:
        client = await nats.connect(
            f"nats://127.0.0.1:{server.port}", user=USER, password=PASSWORD, allow_reconnect=False
        )
        stream = client.jetstream()
        await stream.add_stream(
            name="FLOOR", subjects=["floor"], storage=StorageType.FILE, retention=RetentionPolicy.WORK_QUEUE
        )
        yield partial(stream.publish, "floor", MESSAGE)
        await client.close()
    finally:
        server.stop()


@asynccontextmanager
async def _asking(_: Path, image_api: str, __: Contender) -> AsyncIterator[Step]:
    connections = [await Connection.open(image_api) for _ in range(AT_ONCE)]
    wanted = json.dumps({"prompt": "p", "width": SIZE[0], "height": SIZE[1]}).encode()

    async def ask() -> None:
        connection = connections.pop()
        made = await connection.call("POST", "/generate", wanted)
        await connection.exchange("GET", made["image_url"].removeprefix(image_api), b"")
        connections.append(connection)

    yield ask
    for connection in connections:
        await connection.close()


@asynccontextmanager
async def _looking(size: tuple[int, int], _: Path, __: str, ___: Contender) -> AsyncIterator[Step]:
    data = picture(size)

    def look() -> None:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            if image.size != SIZE:
                # Run lengths alone, since that is the fastest PNG of a picture.
                ImageOps.fit(image, SIZE).save(io.BytesIO(), "PNG", compress_type=zlib.Z_RLE)

    yield lambda: asyncio.to_thread(look)


@asynccontextmanager
async def _writing(directory: Path, _: str, __: Contender) -> AsyncIterator[Step]:
    data = picture(SIZE)

    def write() -> None:
        name = secrets.token_hex(16)
        write_synced(directory / f"{name}.draft", data)
        (directory / f"{name}.draft").rename(directory / name)
        sync_directory(directory)

    yield lambda: asyncio.to_thread(write)


_STEPS: dict[str, Opened] = {
    "accept": _accepting,
    "transaction": _committing,
    "publish": _publishing,
    "image API": _asking,
    "pixels": partial(_looking, SIZE),
    "pixels conformed": partial(_looking, WRONG),
    "file": _writing,
}
_ONE_AT_A_TIME = {"transaction"}
