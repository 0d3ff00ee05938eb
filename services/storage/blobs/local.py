"""Blobs as files in one directory, handed out by this service itself."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from chassis.files import sync_directory, write_synced
from services.storage.blobs.keys import checked
from services.storage.domain import (
    SIDES,
    Blob,
    BlobMissing,
    Link,
    PlaceUnfit,
    PlaceUnusable,
    is_public_key,
)
from services.storage.links import Signer
from services.storage.ports import Clock

CHUNK = 256 * 1024
PAGE = 1000
DRAFTS = "drafts"
DRAFT_LIFE = 3600.0
"""Seconds after which a draft is what a crash left behind."""
TO_BE_MENDED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)
"""What a disk says that will not pass by itself; one that is full has room again some day."""


class LocalBlobs:
    """For a system on one machine: a directory for each side, below a directory of their own."""

    def __init__(self, directory: Path, public_url: str, signer: Signer, clock: Clock) -> None:
        with _translated():
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in (*SIDES, DRAFTS):
                (directory / name).mkdir(mode=0o700, exist_ok=True)
            sync_directory(directory)
            sync_directory(directory.parent)
            _sweep(directory / DRAFTS)
        self._directory = directory
        self._files_url = f"{public_url.rstrip('/')}/files"
        self._signer = signer
        self._clock = clock

    async def write(self, key: str, data: bytes, content_type: str) -> None:
        await asyncio.to_thread(self._write, self._path(key), data)

    @asynccontextmanager
    async def read(self, key: str) -> AsyncIterator[AsyncIterator[bytes]]:
        file = await asyncio.to_thread(_open, self._path(key), key)
        with file:
            yield _chunks(file)

    async def move(self, key: str, next_key: str) -> None:
        await asyncio.to_thread(_move, self._path(key), self._path(next_key), key)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(_delete, self._path(key))

    async def links(self, keys: Sequence[str], expires_in: int, at_least: int) -> Sequence[Link]:
        expires_at = int(self._clock().timestamp()) + expires_in
        return [self._link(key, expires_at) for key in keys]

    async def blobs(self, side: str) -> AsyncIterator[Sequence[Blob]]:
        names = await asyncio.to_thread(_names, self._directory / side)
        for start in range(0, len(names), PAGE):
            page = await asyncio.to_thread(self._look, side, names[start : start + PAGE])
            if page:
                yield page

    async def find(self, key: str) -> Blob | None:
        self._path(key)
        side, _, name = key.partition("/")
        return next(iter(await asyncio.to_thread(self._look, side, [name])), None)

    async def ping(self) -> None:
        await asyncio.to_thread(self._try)

    def _path(self, key: str) -> Path:
        return self._directory / checked(key)

    def _write(self, path: Path, data: bytes) -> None:
        draft = self._draft()
        with _translated():
            try:
                write_synced(draft, data)
                draft.rename(path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
            sync_directory(path.parent)

    def _try(self) -> None:
        draft = self._draft()
        with _translated():
            try:
                draft.write_bytes(b"?")
            finally:
                draft.unlink(missing_ok=True)

    def _look(self, side: str, names: Sequence[str]) -> list[Blob]:
        """What of these is still there."""
        found = []
        for name in names:
            path = self._directory / side / name
            # A name that is not ours may be anything, and is only ever shown.
            key = f"{side}/{os.fsencode(name).decode(errors='replace')}"
            with _translated(), suppress(BlobMissing):
                try:
                    state = path.stat()
                except FileNotFoundError:
                    raise _missing(path, key) from None
                found.append(Blob(key, state.st_size, datetime.fromtimestamp(state.st_mtime, UTC)))
        return found

    def _draft(self) -> Path:
        return self._directory / DRAFTS / secrets.token_hex(16)

    def _link(self, key: str, expires_at: int) -> Link:
        url = f"{self._files_url}/{key}"
        if is_public_key(key):
            return Link(url, expires_at=None)
        token = self._signer.sign(key, expires_at)
        return Link(f"{url}?token={token}", datetime.fromtimestamp(expires_at, UTC))


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    while True:
        with _translated():
            chunk = await asyncio.to_thread(file.read, CHUNK)
        if not chunk:
            return
        yield chunk


def _open(path: Path, key: str) -> BinaryIO:
    with _translated():
        try:
            # Unbuffered: the chunks are large enough.
            return path.open("rb", buffering=0)
        except FileNotFoundError:
            raise _missing(path, key) from None


def _missing(path: Path, key: str) -> BlobMissing | FileNotFoundError:
    """A file that is not in its directory is missing; one whose directory is not there may come back with it."""
    return BlobMissing(key) if path.parent.is_dir() else FileNotFoundError(path.parent)


def _move(path: Path, next_path: Path, key: str) -> None:
    with _translated():
        try:
            path.rename(next_path)
        except FileNotFoundError:
            if not next_path.exists():
                raise _missing(path, key) from None
        # Also when somebody else renamed it: they may have crashed before this.
        sync_directory(next_path.parent)
        sync_directory(path.parent)


def _delete(path: Path) -> None:
    with _translated():
        path.unlink(missing_ok=True)
        sync_directory(path.parent)
        if path.exists():
            raise PlaceUnusable from FileExistsError("a picture could not be deleted")


def _names(directory: Path) -> list[str]:
    with _translated(), os.scandir(directory) as entries:
        return sorted(entry.name for entry in entries if entry.is_file())


def _sweep(drafts: Path) -> None:
    for draft in drafts.iterdir():
        with suppress(FileNotFoundError):  # another process has just finished it
            if draft.stat().st_mtime < time.time() - DRAFT_LIFE:
                draft.unlink()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise (PlaceUnfit if error.errno in TO_BE_MENDED else PlaceUnusable) from error
