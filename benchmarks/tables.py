"""What was measured, as a table that is read without explanation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.contenders.floors import CONFORMED, STEPS, latency, throughput
from benchmarks.contenders.opening import CONVENTIONAL, ECHO, OURS, OURS_ON_POSTGRES, SETTINGS, TUNED
from benchmarks.runner import MAIN, Results
from benchmarks.workloads import ALL, COLD_START, IDLE, JOBS, Workload

MOST_MEMORY = 600.0
"""MiB of all our processes together, under every workload."""
LEAST_SAVING = 0.5
"""Of the conventional build's processor time for a job: what we may take at most."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of several measurements of one thing."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:,.0f} ({self.least:,.0f}–{self.most:,.0f})"


@dataclass(frozen=True, slots=True)
class Row:
    """One workload, and how everybody does it."""

    workload: Workload
    figures: dict[str, Spread]
    """By contender; the echo's are those of the limit."""
    limit: float | None
    contender: str = OURS

    @property
    def to_conventional(self) -> float | None:
        return self._ratio(CONVENTIONAL)

    @property
    def to_tuned(self) -> float | None:
        return self._ratio(TUNED)

    @property
    def to_limit(self) -> float | None:
        return self.figures[OURS].median / self.limit if self.limit and OURS in self.figures else None

    @property
    def verdicts(self) -> str:
        goals = (
            (self.to_conventional, self.workload.than_conventional), (self.to_limit, self.workload.than_limit),
        )  # fmt: skip
        return " ".join(filter(None, (verdict(*goal, less=self.workload.less_is_better) for goal in goals)))

    def _ratio(self, other: str) -> float | None:
        if OURS not in self.figures or other not in self.figures:
            return None
        return self.figures[OURS].median / self.figures[other].median


def spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def rows(results: Results) -> list[Row]:
    """One for each workload that was measured."""
    found = []
    for workload in ALL:
        figures = {name: spread(values) for name in MAIN if (values := _values(results, workload, name, "value"))}
        if figures:
            found.append(Row(workload, figures, _limit(workload, results, figures)))
    return found


def text(results: Results) -> str:
    """Everything, for a terminal."""
    return "\n".join((*_speeds(results), "", *_resources(results), "", *_floors(results), "", *_settings(results)))


def verdict(ratio: float | None, goal: float | None, *, less: bool) -> str:
    """Whether a goal was met; nothing when there is none, or nothing to hold against it."""
    if goal is None or ratio is None:
        return ""
    met = ratio <= goal if less else ratio >= goal
    return f"{'≤' if less else '≥'}{goal:g} {'met' if met else 'MISSED'}"


def as_json(results: Results) -> list[dict[str, Any]]:
    """The rows, for who compares runs."""
    return [
        {
            "workload": row.workload.name, "says": row.workload.says, "unit": row.workload.unit,
            "figures": {name: asdict(one) for name, one in row.figures.items()}, "limit": row.limit,
            "to_conventional": row.to_conventional, "to_tuned": row.to_tuned, "to_limit": row.to_limit,
            "goals": {"conventional": row.workload.than_conventional, "limit": row.workload.than_limit},
            "verdicts": row.verdicts,
        }
        for row in rows(results)
    ]  # fmt: skip


def _limit(workload: Workload, results: Results, figures: dict[str, Spread]) -> float | None:
    if ECHO in figures:
        return figures[ECHO].median
    if not results.floors or workload.than_limit is None:
        return None
    if workload is IDLE:
        return median(latency(floors, STEPS) for floors in results.floors)
    return median(throughput(floors, STEPS if workload is JOBS else CONFORMED) for floors in results.floors)


def _speeds(results: Results) -> list[str]:
    head = ("", "unit", *(name for name in MAIN if name != ECHO), "limit", "× conv.", "× tuned", "× limit", "goals")
    lines = []
    for row in rows(results):
        figures = [str(row.figures.get(name, "–")) for name in MAIN if name != ECHO]
        ratios = [_number(ratio) for ratio in (row.to_conventional, row.to_tuned, row.to_limit)]
        limit = f"{row.limit:,.0f}" if row.limit else "–"
        lines.append((row.workload.says, row.workload.unit, *figures, limit, *ratios, row.verdicts))
    return _aligned(head, lines)


def _resources(results: Results) -> list[str]:
    head = ("CPU s a thousand; MiB at most", *MAIN)
    lines = []
    for row in rows(results):
        if row.workload is COLD_START:  # what that costs is over when it is measured
            continue
        lines.append((row.workload.says, *(_cost(results, row.workload, name) for name in MAIN)))
    said = _aligned(head, lines)
    ours, other = (_values(results, JOBS, name, "cpu") for name in (OURS, CONVENTIONAL))
    if ours and other:
        ratio = median(ours) / median(other)
        said.append(f"CPU of 1,000 jobs, × conventional: {ratio:.2f} {verdict(ratio, LEAST_SAVING, less=True)}")
    peaks = [one.peak for one in results.samples if one.contender in (OURS, OURS_ON_POSTGRES)]
    if peaks:
        said.append(f"memory of ours, MiB at most: {max(peaks):.0f} {verdict(max(peaks), MOST_MEMORY, less=True)}")
    return said


def _cost(results: Results, workload: Workload, name: str) -> str:
    cpu, peak = (_values(results, workload, name, what) for what in ("cpu", "peak"))
    return f"{median(cpu):.2f}; {max(peak):.0f}" if cpu else "–"


def _floors(results: Results) -> list[str]:
    if not results.floors:
        return []
    found: list[tuple[str, ...]] = []
    for step in results.floors[0]:
        alone = median(floors[step].alone for floors in results.floors)
        rate = median(floors[step].rate for floors in results.floors)
        found.append((step, str(STEPS.get(step) or CONFORMED[step]), f"{alone:.2f}", f"{rate:,.0f}"))
    return _aligned(("floor of a job's step", "a job", "ms alone", "a second"), found)


def _settings(results: Results) -> list[str]:
    present = {sample.contender for sample in results.samples}
    return [
        f"{name}: {SETTINGS[name]}{f' ({len(results.floors)} rounds)' if name == ECHO else ''}"
        for name in MAIN
        if name in present
    ]


def _values(results: Results, workload: Workload, contender: str, what: str) -> list[float]:
    return [
        float(getattr(one, what))
        for one in results.samples
        if one.contender == contender and one.workload == workload.name
    ]


def _number(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.3g}"


def _aligned(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    sides: list[Callable[[str, int], str]] = [str.ljust, *([str.rjust] * (len(head) - 1))]
    return [
        "  ".join(side(cell, width) for side, cell, width in zip(sides, line, widths, strict=True)).rstrip()
        for line in (head, *lines)
    ]
