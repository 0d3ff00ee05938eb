"""Files that are still there after the power was."""

from __future__ import annotations

import os
from pathlib import Path

OWNER_ONLY = 0o600
SCARCE = 16 * 2**20
"""Bytes: with less than this left a disk counts as full. It is room for some pictures, and for what is on its way."""


def write_synced(path: Path, data: bytes) -> None:
    """Writes a new file, for its owner only, to disk; its name may yet be lost until `sync_directory`.

    Raises:
        FileExistsError: there is one of that name.
    """
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def has_room(directory: Path) -> bool:
    """Whether the disk that a directory is on can be written to, and is not full."""
    return os.access(directory, os.W_OK) and free_bytes(directory) >= SCARCE


def free_bytes(directory: Path) -> int:
    """What can still be written to the disk that a directory is on, without what is kept in reserve for root."""
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


def sync_directory(directory: Path) -> None:
    """A name is on disk, or gone from it, only when its directory is."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
