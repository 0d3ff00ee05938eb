"""Whatever an image API sends instead of a picture: the job says so, and the worker stays small."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

from PIL import Image

from tests.e2e.apps import create_kit, finished, generate
from tests.fakes.http_server import Response
from tests.fakes.nano_banana import KEY, FakeNanoBanana
from tests.systems import client_for, running_system

MOST_MEMORY = 500 * 2**20
"""Bytes the worker may ever have held."""


def png(width: int, height: int) -> bytes:
    """A small file that says it is large: one row of it is there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    row = zlib.compress(bytes(1 + 3 * width))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


def whole_png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((width, height), 50).save(buffer, "PNG")
    return buffer.getvalue()


JUNK = {
    "one pixel": whole_png(1, 1),
    "no bytes": b"",
    "cut off": whole_png(1280, 720)[:20_000],
    "30 MB": whole_png(64, 64) + bytes(30 * 10**6),
    "20,000 × 20,000": png(20_000, 20_000),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720"/>',
    "HTML": b"<!doctype html><title>Sorry</title>",
}


async def test_junk_fails_the_job_with_its_reason_and_the_worker_stays_small(tmp_path: Path) -> None:
    async with FakeNanoBanana() as api:
        settings = {"STUDIO_PROVIDER": "nano_banana", "NANO_BANANA_BASE_URL": api.url, "NANO_BANANA_API_KEY": KEY}
        with running_system(tmp_path, **settings) as system:
            async with client_for(system, "ada") as client:
                kit = await create_kit(client)
                reasons = {}
                for name, data in JUNK.items():
                    api.images.append(Response(200, {"content-type": "image/png"}, data))
                    job = await finished(client, (await generate(client, kit["id"], "banner"))["id"])
                    reasons[name] = job.get("error", {}).get("reason")
                well = await finished(client, (await generate(client, kit["id"], "banner"))["id"])
                peak = peak_memory(system.pid("generation"))

    assert reasons == dict.fromkeys(JUNK, "INVALID_IMAGE")
    assert well["status"] == "completed"
    assert 0 < peak < MOST_MEMORY


def peak_memory(pid: int) -> int:
    """Bytes that the process, and those below it, have ever held at most."""
    pids, peak = [pid], 0
    while pids:
        process = Path("/proc") / str(pids.pop())
        lines = process.joinpath("status").read_text().splitlines()
        peak += 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
        pids += [int(child) for child in process.joinpath("task", process.name, "children").read_text().split()]
    return peak
