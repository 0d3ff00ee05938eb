"""Runs workloads on contenders, one contender at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import workloads
from benchmarks.contenders import opening
from benchmarks.contenders.contender import Stock
from benchmarks.contenders.floors import Floor, measure_floors
from benchmarks.contenders.opening import CONVENTIONAL, ECHO, OURS, OURS_ON_POSTGRES, TUNED
from benchmarks.image_api import ImageApiProcess, Manner, running_image_api
from benchmarks.measuring import costs
from benchmarks.workloads import Scale, Stage, Workload

CROWD_AT_ONCE = 64
"""Pictures that a contender has made at once where the image API is slow: more than that lets it."""
MAIN: dict[str, tuple[Workload, ...]] = {
    OURS: (*workloads.READS, *workloads.MAKES, workloads.WATCHERS, *workloads.WRITES),
    OURS_ON_POSTGRES: (*workloads.READS, *workloads.MAKES, workloads.WATCHERS, *workloads.WRITES),
    CONVENTIONAL: (*workloads.READS, *workloads.MAKES, workloads.WATCHERS, *workloads.WRITES),
    TUNED: workloads.MAKES,
    ECHO: (*workloads.READS, *workloads.WRITES),
}
CROWDED = (OURS, OURS_ON_POSTGRES, CONVENTIONAL)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement."""

    contender: str
    workload: str
    value: float
    cpu: float
    """Seconds of a processor for a thousand requests or jobs."""
    peak: float
    """MiB of all processes together."""


@dataclass(slots=True)
class Results:
    """What was measured, in all rounds."""

    samples: list[Sample] = field(default_factory=list)
    floors: list[dict[str, Floor]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Runner:
    """What is to be done, and on which contenders."""

    scale: Scale
    contenders: Sequence[str]
    workloads: Sequence[str]
    say: Say

    async def run(self, rounds: int) -> Results:
        """In each round each contender has its turn."""
        results = Results()
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            async with running_image_api(Path(directory) / "images.log") as images:
                for number in range(1, rounds + 1):
                    self.say(f"round {number} of {rounds}")
                    for name in self.contenders:
                        await self._contender(name, Path(directory), images, results)
        return results

    async def _contender(self, name: str, directory: Path, images: ImageApiProcess, results: Results) -> None:
        chosen = [each for each in MAIN[name] if each.name in self.workloads]
        if chosen:
            with tempfile.TemporaryDirectory(dir=directory) as place:
                stock = None if name == ECHO else Stock()
                async with opening.opened(name, Path(place), images.url, stock=stock) as contender:
                    stage = Stage(contender, images, self.scale)
                    for workload in chosen:
                        results.samples.append(await self._sample(workload, stage))
                    if name == ECHO:
                        await images.be(Manner())
                        seconds = self.scale.seconds / 2
                        found = await measure_floors(Path(place), images.url, contender, seconds)
                        results.floors.append(found)
        crowded = [each for each in (workloads.COLD_START, workloads.CROWD) if each.name in self.workloads]
        if crowded and name in CROWDED:
            await self._crowd(name, crowded, directory, images, results)

    async def _crowd(
        self, name: str, chosen: Sequence[Workload], directory: Path, images: ImageApiProcess, results: Results
    ) -> None:
        """On a start of its own, from nothing."""
        with tempfile.TemporaryDirectory(dir=directory) as place:
            async with opening.opened(name, Path(place), images.url, at_once=CROWD_AT_ONCE) as contender:
                for workload in chosen:
                    results.samples.append(await self._sample(workload, Stage(contender, images, self.scale)))

    async def _sample(self, workload: Workload, stage: Stage) -> Sample:
        with costs(stage.contender.pids) as cost:
            outcome = await workload.run(stage)
        name, cpu = stage.contender.name, cost.cpu / outcome.done * 1000
        self.say(
            f"  {name}: {workload.name}: {outcome.value:.1f} {workload.unit};"
            f" {cpu:.2f} CPU s a thousand; {cost.peak:.0f} MiB"
        )
        return Sample(name, workload.name, outcome.value, cpu, cost.peak)
