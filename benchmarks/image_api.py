"""The Nano Banana API as fast as a server can be: what it answers was made before, and its time is nobody's cost.

Both sides ask the same one, in a process of its own. `PUT /manner` says how it goes on from now.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import uvloop
from PIL import Image, ImageOps

from benchmarks.connection import Connection
from benchmarks.processes import program_on
from services.generation.domain import ASSET_DIMENSIONS, AssetType
from tests.fakes.http_server import Answer, HttpServer, Request, Response

KEY = "a-key-for-benchmarks"
WRONG = (1344, 768)
"""As Google's models answer who asks for 16:9."""
KILOBYTES = 300
HARD_BYTES = KILOBYTES * 1000
BUSY = Response(429, {"content-type": "application/json", "retry-after": "1"}, b'{"error": {"code": "rate_limit"}}')


@dataclass(frozen=True, slots=True)
class Manner:
    """How it answers."""

    takes: float = 0.0
    """Seconds for one picture."""
    at_once: int = 0
    """Pictures; to who asks for more it says 429. 0: any number."""
    right_size: bool = True
    held: bool = False
    """Whether no picture is done before this is taken back."""


class ImageApi(HttpServer):
    """One address for all pictures of a size, since its time is not measured."""

    def __init__(self, port: int) -> None:
        super().__init__(
            {
                ("POST", "/generate"): self._generate,
                ("GET", "/status"): self._well,
                ("PUT", "/manner"): self._change,
                ("GET", "/counts"): self._tell,
                ("GET", "/images/*"): self._image,
            },
            port,
        )
        self._manner = Manner()
        self._free = asyncio.Event()
        self._free.set()
        self._under_way = self._made = self._refused = 0

    async def _generate(self, request: Request) -> Answer:
        self.requests.clear()  # else it would keep all that it was ever asked
        manner = self._manner
        if manner.at_once and self._under_way >= manner.at_once:
            self._refused += 1
            return BUSY
        self._under_way += 1
        try:
            await asyncio.sleep(manner.takes)
            await self._free.wait()
        finally:
            self._under_way -= 1
        self._made += 1
        wanted = json.loads(request.body)
        size = (wanted["width"], wanted["height"]) if manner.right_size else WRONG
        url = f"{self.url}/images/{size[0]}x{size[1]}.png"
        return _json({"image_url": url, "generation_id": str(self._made), "seed": 1, "inference_time_ms": 1})

    async def _image(self, request: Request) -> Answer:
        width, _, height = request.path.removeprefix("/images/").removesuffix(".png").partition("x")
        return Response(200, {"content-type": "image/png"}, picture((int(width), int(height))))

    async def _change(self, request: Request) -> Answer:
        self._manner = Manner(**json.loads(request.body))
        self._made = self._refused = 0
        (self._free.clear if self._manner.held else self._free.set)()
        return _json({})

    async def _tell(self, _: Request) -> Answer:
        return _json({"made": self._made, "refused": self._refused})

    async def _well(self, _: Request) -> Answer:
        return _json({"status": "ok"})


@dataclass(frozen=True, slots=True)
class ImageApiProcess:
    """One that runs, as a benchmark steers it."""

    url: str

    async def be(self, manner: Manner) -> None:
        """From now on."""
        async with await Connection.open(self.url) as connection:
            await connection.call("PUT", "/manner", json.dumps(asdict(manner)).encode())

    async def counts(self) -> dict[str, int]:
        """Pictures `made`, and calls `refused`, since the last change."""
        async with await Connection.open(self.url) as connection:
            return dict(await connection.get("/counts"))


@asynccontextmanager
async def running_image_api(log: Path) -> AsyncIterator[ImageApiProcess]:
    async with program_on("benchmarks.image_api", log) as port:
        yield ImageApiProcess(f"http://127.0.0.1:{port}")


@cache
def picture(size: tuple[int, int]) -> bytes:
    """A PNG of about 300 kB: colours that run into each other, and as much noise as fills it up."""
    low, high = 0, 64
    while high - low > 1:
        noise = (low + high) // 2
        low, high = (noise, high) if len(_painted(size, noise)) < HARD_BYTES else (low, noise)
    return _painted(size, low)


def _painted(size: tuple[int, int], noise: int) -> bytes:
    dice = random.Random(7)
    small = Image.frombytes("RGB", (12, 8), dice.randbytes(12 * 8 * 3))
    image = ImageOps.posterize(small.resize(size, Image.Resampling.BICUBIC), 4)
    width = size[0] * noise // 64
    if width:
        image.paste(Image.frombytes("RGB", (width, 150), dice.randbytes(width * 150 * 3)), (0, 0))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=6)
    return buffer.getvalue()


def _json(value: Any) -> Response:
    return Response(200, {"content-type": "application/json"}, json.dumps(value).encode())


async def _serve(port: int) -> None:
    for size in (ASSET_DIMENSIONS[AssetType.THUMBNAIL], WRONG):
        picture(size)
    async with ImageApi(port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(_serve(parser.parse_args().port))
