"""Refuses a change of the protos that would break existing callers: `python protos/breaking.py`.

Protos that are not committed yet are compared with the last commit, committed ones with the commit before it.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from protos.generate import GEN, ROOT, write_image

OURS = "protos/streamerstudio"
BUF = Path(sys.executable).parent / "buf"


def main() -> int:
    """Says what breaks, and returns buf's exit code."""
    base = _base()
    if base is None or not _git("ls-tree", base, OURS):
        print("protos: there is no earlier version to compare with")
        return 0
    with tempfile.TemporaryDirectory() as work:
        _check_out(base, Path(work))
        write_image(Path(work) / "protos", Path(work))
        against = Path(work) / "api.binpb"
        compare = ["breaking", str(GEN / "api.binpb"), "--against", str(against), "--path", "streamerstudio"]
        return subprocess.run([BUF, *compare], cwd=ROOT, check=False).returncode


def _base() -> str | None:
    """The commit that callers may have been built from; None if there is none here."""
    changed = _git("status", "--porcelain", "--", OURS)
    found = _git("rev-parse", "--verify", "--quiet", "HEAD" if changed else "HEAD^1")
    return found.decode().strip() or None


def _check_out(commit: str, directory: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(_git("archive", commit, OURS))) as archive:
        archive.extractall(directory, filter="data")


def _git(*arguments: str) -> bytes:
    """What git says; nothing where there is no repository, or not that commit."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False).stdout


if __name__ == "__main__":
    raise SystemExit(main())
