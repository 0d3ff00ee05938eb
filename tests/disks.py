"""A disk of a few megabytes that a test may fill.

Mounting takes root; an ordinary user is root in a namespace of their own, and so the test runs in there.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

MIB = 2**20
ROOT = Path(__file__).parent.parent
NAMESPACE = ("unshare", "--map-root-user", "--mount")


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """A disk, and a file that takes up what the test does not want to be free."""

    path: Path

    def fill(self) -> None:
        """Leaves no byte; what is deleted later on makes room again."""
        for size in (MIB, 4096, 1):
            with self._filler.open("ab", buffering=0) as filler:
                try:
                    while filler.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return self.path / "filler"


def on_a_small_disk(size: int) -> Callable[[Callable[[SmallDisk], Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Runs a test on a disk of so many bytes; skips it where nobody may have one."""

    def decorate(test: Callable[[SmallDisk], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def run(tmp_path: Path, request: pytest.FixtureRequest) -> None:
            directory = tmp_path / "disk"
            directory.mkdir()
            if _may_mount(directory):
                with _mounted(directory, size) as disk:
                    await test(disk)
            elif _may_mount(directory, *NAMESPACE):
                await asyncio.to_thread(_run_in_namespace, request.node.nodeid)
            else:
                pytest.skip("a small disk takes the right to mount one, or to make a namespace")

        # Without `functools.wraps`, for which pytest would look for a fixture called `disk`.
        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    return decorate


def _may_mount(directory: Path, *within: str) -> bool:
    if shutil.which("mount") is None or (within and shutil.which(within[0]) is None):
        return False
    script = 'mount -t tmpfs -o size=1m tmpfs "$0" && umount "$0"'
    return subprocess.run([*within, "sh", "-c", script, directory], capture_output=True).returncode == 0


@contextmanager
def _mounted(directory: Path, size: int) -> Iterator[SmallDisk]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory], check=True)
    try:
        yield SmallDisk(directory)
    finally:
        # Lazily: what a test that failed has left running must not keep the disk in its place.
        subprocess.run(["umount", "-l", directory], check=True)


def _run_in_namespace(test: str) -> None:
    command = [*NAMESPACE, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", test]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert child.returncode == 0 and "1 passed" in child.stdout, child.stdout + child.stderr
