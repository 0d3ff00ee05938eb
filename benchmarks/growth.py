"""How figures change with what is in the database, with what waits in the queue, and with replicas."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import workloads
from benchmarks.contenders import opening
from benchmarks.contenders.contender import HOARDER, Stock
from benchmarks.contenders.opening import CONVENTIONAL, OURS, OURS_ON_POSTGRES
from benchmarks.image_api import ImageApiProcess, Manner, running_image_api
from benchmarks.load import load
from benchmarks.workloads import Outcome, Scale, Stage, Workload

DATABASE, QUEUE = "jobs in the database", "jobs in the queue"
KITS, REPLICAS = "brand kits", "replicas of each service"
FEW = 1_000


@dataclass(frozen=True, slots=True)
class Point:
    """One figure at one size."""

    axis: str
    size: int
    contender: str
    what: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Case:
    """One start of one contender."""

    axis: str
    size: int
    contender: str
    stock: Stock
    workloads: Sequence[Workload]
    replicas: int = 1


async def list_hoarded(stage: Stage) -> Outcome:
    """Of a user who has half of all jobs that are there."""
    token = stage.contender.token(HOARDER)
    loaded = await load(stage.contender.url, token, ["/api/v1/jobs?limit=20"], stage.scale.seconds)
    return Outcome(loaded.rate, loaded.requests)


async def list_kits(stage: Stage) -> Outcome:
    token = stage.contender.token("user-7")
    loaded = await load(stage.contender.url, token, ["/api/v1/brand-kits"], stage.scale.seconds)
    return Outcome(loaded.rate, loaded.requests)


HOARDED = Workload("list hoarded", "GET /jobs, 20 of half of all", list_hoarded)
LIST_KITS = Workload("list kits", "GET /brand-kits, 10 of all", list_kits)
STORED = (*workloads.READS, HOARDED, workloads.IDLE, workloads.POST)
QUEUED = (workloads.GET_WAITING, workloads.LIST, workloads.JOBS, workloads.POST)
REPLICATED = (*workloads.READS, workloads.JOBS, workloads.POST)


def cases(*, quick: bool) -> Iterator[Case]:
    """The replicas share a machine: on two cores more of them bring no more, and the figures say what they cost."""
    sizes = (FEW, 10_000, 100_000) if quick else (FEW, 100_000, 1_000_000)
    for size in sizes:
        for name in (OURS, OURS_ON_POSTGRES, CONVENTIONAL):
            yield Case(DATABASE, size, name, Stock(jobs=size), STORED)
    for size in (FEW, 10_000) if quick else (FEW, 100_000):
        for name in (OURS, OURS_ON_POSTGRES):
            yield Case(QUEUE, size, name, Stock(jobs=FEW, queue=size), QUEUED)
    for size in (FEW, 10_000):
        for name in (OURS, OURS_ON_POSTGRES):
            yield Case(KITS, size, name, Stock(jobs=FEW, kits=size), (LIST_KITS, workloads.POST))
    for number in (1, 2) if quick else (1, 2, 4):
        yield Case(REPLICAS, number, OURS_ON_POSTGRES, Stock(), REPLICATED, number)


async def measure(scale: Scale, *, quick: bool, say: Callable[[str], None]) -> list[Point]:
    """One start for each case; in quick ones one second of load."""
    scale = replace(scale, seconds=1, idle_jobs=5, jobs=30) if quick else replace(scale, seconds=5)
    points: list[Point] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with running_image_api(Path(directory) / "images.log") as images:
            for case in cases(quick=quick):
                say(f"{case.axis}: {case.size:,}, {case.contender}")
                for point in await _points(case, scale, Path(directory), images):
                    say(f"  {point.what}: {point.value:.1f} {point.unit}")
                    points.append(point)
    return points


async def _points(case: Case, scale: Scale, directory: Path, images: ImageApiProcess) -> list[Point]:
    # What is in the queue begins at once, and is not to be through before anything is measured.
    await images.be(Manner(held=True))
    with tempfile.TemporaryDirectory(dir=directory) as place:
        data = Path(place)
        one = opening.opened(case.contender, data, images.url, stock=case.stock, replicas=case.replicas)
        async with one as contender:
            stage, points = Stage(contender, images, scale), []
            for workload in case.workloads:
                value = (await workload.run(stage)).value
                points.append(Point(case.axis, case.size, case.contender, workload.name, value, workload.unit))
            return points
