"""How fast the storage service takes pictures in, and how much memory that takes.

`python -m benchmarks.storage_uploads [--storage local|supabase] [--uploads 200] [--at-once 20]`: the service in a
process of its own, on a stand-in for Supabase in another, and pictures of two megabytes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import grpc

from deploy.local.ports import free_ports
from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceStub
from tests.builders import FILES_SECRET, SERVICE_SECRET, USER_SECRET
from tests.fakes.supabase_tokens import SERVICE_KEY
from tests.pictures import a_picture
from tests.storage_service import AS_SERVICE, NO_NATS, PUBLIC_URL, an_info, parts

WIDTH, HEIGHT = 840, 832
"""Of noise, which does not compress: 2 MB."""
DIFFERENT = 10


@asynccontextmanager
async def running(*arguments: str, environ: Mapping[str, str] | None = None) -> AsyncIterator[int]:
    """The id of a process that runs as long as the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env={**os.environ, **(environ or {})}, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


def peak(process_id: int) -> float:
    """Megabytes of memory that a process has had at most."""
    status = Path(f"/proc/{process_id}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else float("nan")


def busy(process_id: int) -> float:
    """Seconds of a processor that a process has used."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def upload(address: str, uploads: int, at_once: int) -> float:
    """Seconds for all of them."""
    pictures = [a_picture(WIDTH, HEIGHT, seed=seed) for seed in range(DIFFERENT)]
    places = asyncio.Semaphore(at_once)
    async with grpc.aio.insecure_channel(address) as channel:
        await asyncio.wait_for(channel.channel_ready(), 60)
        stub = StorageServiceStub(channel)

        async def one(number: int) -> None:
            async with places:
                await stub.UploadAsset(parts(an_info(), pictures[number % DIFFERENT]), metadata=AS_SERVICE)

        await one(0)
        began = time.perf_counter()
        await asyncio.gather(*map(one, range(uploads)))
        return time.perf_counter() - began


async def main() -> None:
    parser = argparse.ArgumentParser(description="Measures uploads to the storage service.")
    parser.add_argument("--storage", choices=("local", "supabase"), default="supabase")
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=20)
    arguments = parser.parse_args()
    port, supabase_port = free_ports(2)
    with tempfile.TemporaryDirectory() as directory:
        environ = {
            "STUDIO_STORAGE": arguments.storage, "SUPABASE_URL": f"http://127.0.0.1:{supabase_port}",
            "SUPABASE_SERVICE_KEY": SERVICE_KEY, "STUDIO_DATA_DIR": directory, "STUDIO_PUBLIC_URL": PUBLIC_URL,
            "NATS_URL": NO_NATS, "JWT_SECRET": USER_SECRET, "SERVICE_JWT_SECRET": SERVICE_SECRET,
            "FILES_SECRET": FILES_SECRET, "STORAGE_PORT": str(port), "LOG_LEVEL": "ERROR",
        }  # fmt: skip
        async with (
            running("-m", "tests.fakes.supabase", "--port", str(supabase_port)),
            running("-m", "services.storage", "--role", "server", environ=environ) as service,
        ):
            seconds = await upload(f"127.0.0.1:{port}", arguments.uploads, arguments.at_once)
            memory, worked = peak(service), busy(service)
    megabytes = arguments.uploads * len(a_picture(WIDTH, HEIGHT)) / 1e6
    print(
        f"{arguments.storage}: {arguments.uploads} uploads, {arguments.at_once} at once, in {seconds:.1f} s: "
        f"{arguments.uploads / seconds:.0f}/s, {megabytes / seconds:.0f} MB/s; "
        f"{worked / arguments.uploads * 1000:.0f} ms of a processor each; memory at most {memory:.0f} MB"
    )


if __name__ == "__main__":
    asyncio.run(main())
