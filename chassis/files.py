"""Files that are still there after the power was."""

from __future__ import annotations

import os
from pathlib import Path

OWNER_ONLY = 0o600


def write_synced(path: Path, data: bytes) -> None:
    """Writes a new file, for its owner only, to disk; its name may yet be lost until `sync_directory`.

    Raises:
        FileExistsError: there is one of that name.
    """
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_directory(directory: Path) -> None:
    """A name is on disk, or gone from it, only when its directory is."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
