"""One system at a time on a data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from chassis.files import SCARCE, has_room
from deploy.local.errors import DataDirInUse, DataDirUnusable

FILE = "lock"


class DataDirLock:
    """Held from `acquire` to `release`; the kernel releases it when its process dies, however it dies."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Takes the lock, making the directory if need be.

        Raises:
            DataDirInUse: somebody else has it.
            DataDirUnusable: there is no such directory and none can be made, or next to nothing can be written there.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataDirUnusable(f"STUDIO_DATA_DIR: {self._path.parent} cannot be used ({error.strerror})") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode().strip()
            os.close(descriptor)
            who = f"process {holder}" if holder else "another process"
            raise DataDirInUse(f"STUDIO_DATA_DIR: {self._path.parent} is in use by {who}") from None
        if not has_room(self._path.parent):
            os.close(descriptor)
            raise DataDirUnusable(
                f"STUDIO_DATA_DIR: the disk of {self._path.parent} is full; {SCARCE // 2**20} MiB must be free to start"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Gives the lock back; does nothing when it is not held."""
        if self._descriptor is not None:
            # The file stays: whoever removed it could leave two systems holding two locks of one name.
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def holder(data_dir: Path) -> int | None:
    """The process that runs a system on a data directory; None when there is none."""
    try:
        descriptor = os.open(data_dir / FILE, os.O_RDWR)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        # Shared, so that two who ask do not take each other for the holder.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return int(os.pread(descriptor, 32, 0) or 0)
    finally:
        os.close(descriptor)
