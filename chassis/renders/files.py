"""Renders as files in one directory."""

import asyncio
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from chassis.errors import Unavailable
from chassis.files import SCARCE, free_bytes, sync_directory, write_synced
from chassis.renders.port import RenderMissing, checked


class FileRenders:
    """For a system whose services share one machine, and so one directory."""

    def __init__(self, directory: Path) -> None:
        with _translated():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(directory.parent)
        self._directory = directory

    async def require_room(self) -> None:
        with _translated():
            free = free_bytes(self._directory)
        if free < SCARCE:
            raise Unavailable(f"There is no room for renders: {free // 2**20} MiB are free.")

    async def put(self, key: str, data: bytes) -> None:
        await asyncio.to_thread(self._write, checked(key), data)

    async def get(self, key: str) -> bytes:
        return await asyncio.to_thread(self._read, checked(key))

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._remove, checked(key))

    async def keys(self, older_than: timedelta) -> Sequence[str]:
        return await asyncio.to_thread(self._keys, time.time() - older_than.total_seconds())

    async def sweep(self, older_than: timedelta) -> int:
        return await asyncio.to_thread(self._sweep, time.time() - older_than.total_seconds())

    def _write(self, key: str, data: bytes) -> None:
        # No key starts with a dot, so what a crash leaves behind is nobody's render; `sweep` finds it all the same.
        draft = self._directory / f".{key}.{secrets.token_hex(8)}"
        with _translated():
            try:
                write_synced(draft, data)
                draft.rename(self._directory / key)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
            sync_directory(self._directory)

    def _read(self, key: str) -> bytes:
        with _translated():
            try:
                return (self._directory / key).read_bytes()
            except FileNotFoundError:
                if not self._directory.is_dir():
                    raise  # it may come back, and the render with it
                raise RenderMissing(key) from None

    def _remove(self, key: str) -> None:
        with _translated():
            (self._directory / key).unlink(missing_ok=True)

    def _keys(self, before: float) -> list[str]:
        with _translated(), os.scandir(self._directory) as entries:
            return [entry.name for entry in entries if not entry.name.startswith(".") and _is_older(entry, before)]

    def _sweep(self, before: float) -> int:
        swept = 0
        with _translated(), os.scandir(self._directory) as entries:
            for entry in entries:
                if _is_older(entry, before):
                    Path(entry.path).unlink(missing_ok=True)
                    swept += 1
        return swept


def _is_older(entry: os.DirEntry[str], before: float) -> bool:
    try:
        return entry.stat().st_mtime < before
    except FileNotFoundError:
        # Somebody deleted it between the listing and the look.
        return False


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable("The place for renders cannot be used.") from error
