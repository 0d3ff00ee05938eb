"""Does memory grow? Thousands of sketched jobs through the whole system, and the memory of each part as they go by.

`python -m benchmarks.soak --jobs 20000` prints a row each thousand jobs, and how much each part grew from the first
quarter to the last.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import httpx

from benchmarks.measuring import memory
from deploy.local.background import BackgroundSystem
from tests.e2e.apps import TERMINAL, create_kit, generate
from tests.systems import client_for, running_system

PARTS = ("prompt", "generation", "storage", "gateway", "nats")
USERS = 8
POLL = 0.3
ROWS = 20


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=32)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as directory, running_system(Path(directory)) as system:
        asyncio.run(_soak(system, arguments.jobs, arguments.at_once))


async def _soak(system: BackgroundSystem, jobs: int, at_once: int) -> None:
    clients = [client_for(system, f"user-{number}") for number in range(USERS)]
    kits = [(await create_kit(client))["id"] for client in clients]
    rows: list[dict[str, float]] = []
    begin, done, room = time.monotonic(), 0, asyncio.Semaphore(at_once)
    print("jobs     jobs/s  " + "".join(f"{part:>12}" for part in PARTS) + "  MiB, resident")

    async def job(number: int) -> None:
        nonlocal done
        async with room:
            await _one(clients[number % USERS], kits[number % USERS])
        done += 1
        if done % max(1, jobs // ROWS) == 0:
            rows.append({part: memory(system.pid(part)) for part in PARTS})
            figures = "".join(f"{rows[-1][part]:12.1f}" for part in PARTS)
            print(f"{done:<8} {done / (time.monotonic() - begin):6.1f}  {figures}", flush=True)

    for start in range(0, jobs, 1000):
        await asyncio.gather(*(job(number) for number in range(start, min(jobs, start + 1000))))
    for part in PARTS:
        print(f"{part:12} {_growth([row[part] for row in rows]):+6.1f} MiB from the first quarter to the last")
    for client in clients:
        await client.aclose()


async def _one(client: httpx.AsyncClient, kit_id: str) -> None:
    job = await generate(client, kit_id, "banner")
    while job["status"] not in TERMINAL:
        await asyncio.sleep(POLL)
        job = (await client.get(f"/api/v1/jobs/{job['id']}")).json()
    assert job["status"] == "completed", job


def _growth(figures: Sequence[float]) -> float:
    """From the median of the first quarter, the very first figures left out, to that of the last."""
    quarter = max(1, len(figures) // 4)
    return median(figures[-quarter:]) - median(figures[1 : 1 + quarter] or figures)


if __name__ == "__main__":
    main()
