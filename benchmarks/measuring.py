"""What processes cost: the processor's time and the memory of a side, from Linux's own books."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
LOOK_EVERY = 0.25
"""Seconds between two looks at the memory; each costs some milliseconds a process."""
PROC = Path("/proc")


@dataclass(slots=True)
class Cost:
    """What a side took during a measurement; complete when the block is over."""

    cpu: float = 0.0
    """Seconds of a processor."""
    peak: float = 0.0
    """MiB of all its processes together at once, what they share counted once."""


def tree(roots: Sequence[int]) -> list[int]:
    """The processes and all that they have started."""
    below: dict[int, list[int]] = {}
    for pid, fields in _stats():
        below.setdefault(int(fields[1]), []).append(pid)
    found, waiting = [], list(roots)
    while waiting:
        found.append(pid := waiting.pop())
        waiting += below.get(pid, [])
    return found


def children() -> set[int]:
    """The processes that this one has started."""
    return {pid for pid, fields in _stats() if int(fields[1]) == os.getpid()}


@contextmanager
def newcomers() -> Iterator[Callable[[], list[int]]]:
    """Tells which children were started in the block."""
    before, after = children(), set[int]()
    yield lambda: sorted((after or children()) - before)
    after |= children()


def cpu_seconds(pids: Sequence[int]) -> float:
    """Of these, and of their children that have ended."""
    return sum(sum(map(int, fields[11:15])) / TICK for pid, fields in _stats() if pid in set(pids))


def exact_cpu_seconds(pids: Sequence[int]) -> float:
    """Of the threads that run now, to the nanosecond; where Linux does not tell, as `cpu_seconds`."""
    if not Path("/proc/self/schedstat").exists():
        return cpu_seconds(pids)
    return sum(_scheduled(pid) for pid in pids) / 1e9


def mebibytes(pids: Sequence[int]) -> float:
    """Of all of them together; a page that two share counts half for each."""
    return sum(map(_share, pids)) / 1024


def memory(pid: int, what: str = "VmRSS") -> float:
    """MiB of one process, as Linux counts them: `VmRSS` now, `VmHWM` at most so far."""
    status = (PROC / str(pid) / "status").read_text()
    return int(status.partition(f"{what}:")[2].split()[0]) / 1024


@contextmanager
def costs(roots: Sequence[int]) -> Iterator[Cost]:
    """Measures what the processes and all that they start take during the block."""
    cost, over = Cost(), threading.Event()

    def watch() -> None:
        while True:
            cost.peak = max(cost.peak, mebibytes(tree(roots)))
            if over.wait(LOOK_EVERY):
                return

    watcher = threading.Thread(target=watch, name="memory", daemon=True)
    began = cpu_seconds(tree(roots))
    watcher.start()
    try:
        yield cost
    finally:
        over.set()
        watcher.join()
        cost.cpu = max(0.0, cpu_seconds(tree(roots)) - began)


def _stats() -> Iterator[tuple[int, list[str]]]:
    """Of every process its number, and what stands in `stat` after its name: state, parent and so on."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                yield int(entry.name), (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended meanwhile


def _scheduled(pid: int) -> int:
    nanoseconds = 0
    for task in (PROC / str(pid) / "task").iterdir():
        with suppress(OSError):  # it has ended meanwhile
            nanoseconds += int((task / "schedstat").read_text().split()[0])
    return nanoseconds


def _share(pid: int) -> int:
    """KiB."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0  # it has ended meanwhile
    return int(lines.partition("Pss:")[2].split()[0]) if "Pss:" in lines else 0
