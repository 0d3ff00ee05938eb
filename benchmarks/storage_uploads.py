"""How fast the storage service takes pictures in, and how much memory that takes.

`python -m benchmarks.storage_uploads [--storage local|supabase] [--uploads 200] [--at-once 20]`: the service in a
process of its own, on a stand-in for Supabase in another, and pictures of two megabytes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time

import grpc

from benchmarks.measuring import cpu_seconds, memory
from benchmarks.processes import running
from deploy.local.ports import free_ports
from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceStub
from tests.builders import FILES_SECRET, SERVICE_SECRET, USER_SECRET
from tests.fakes.supabase_tokens import SERVICE_KEY
from tests.pictures import a_picture
from tests.storage_service import AS_SERVICE, NO_NATS, PUBLIC_URL, an_info, parts

WIDTH, HEIGHT = 840, 832
"""Of noise, which does not compress: 2 MB."""
DIFFERENT = 10


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
            **os.environ, "STUDIO_STORAGE": arguments.storage, "SUPABASE_URL": f"http://127.0.0.1:{supabase_port}",
            "SUPABASE_SERVICE_KEY": SERVICE_KEY, "STUDIO_DATA_DIR": directory, "STUDIO_PUBLIC_URL": PUBLIC_URL,
            "NATS_URL": NO_NATS, "JWT_SECRET": USER_SECRET, "SERVICE_JWT_SECRET": SERVICE_SECRET,
            "FILES_SECRET": FILES_SECRET, "STORAGE_PORT": str(port), "LOG_LEVEL": "ERROR",
        }  # fmt: skip
        supabase = [sys.executable, "-m", "tests.fakes.supabase", "--port", str(supabase_port)]
        storage = [sys.executable, "-m", "services.storage", "--role", "server"]
        async with running(supabase), running(storage, environ=environ) as service:
            seconds = await upload(f"127.0.0.1:{port}", arguments.uploads, arguments.at_once)
            most, worked = memory(service, "VmHWM"), cpu_seconds([service])
    megabytes = arguments.uploads * len(a_picture(WIDTH, HEIGHT)) / 1e6
    print(
        f"{arguments.storage}: {arguments.uploads} uploads, {arguments.at_once} at once, in {seconds:.1f} s: "
        f"{arguments.uploads / seconds:.0f}/s, {megabytes / seconds:.0f} MB/s; "
        f"{worked / arguments.uploads * 1000:.0f} ms of a processor each; memory at most {most:.0f} MB"
    )


if __name__ == "__main__":
    asyncio.run(main())
