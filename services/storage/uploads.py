"""Pictures as they come in: a service's with who it is for, then its bytes; a user's as bytes alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO

from google.api.httpbody_pb2 import HttpBody

from chassis.errors import Invalid, Unavailable
from services.storage.domain import MAX_BYTES
from services.storage.upload_domain import MAX_UPLOAD_BYTES, UploadTooLarge
from streamerstudio.storage.v1.storage_service_pb2 import UploadAssetRequest, UploadInfo

IN_MEMORY = 64 * 1024
"""Bytes of a user's picture that is on its way; what is longer waits on disk."""
READ_WITHIN = 120.0
"""Seconds a user's picture may take to arrive."""
HEARD_OUT = 4 * MAX_UPLOAD_BYTES
"""Up to here what is too long is read to its end, and not kept: most apps hear nothing before they have sent all."""


async def read_upload(requests: AsyncIterable[UploadAssetRequest]) -> tuple[UploadInfo, bytes]:
    """Collects the parts.

    Raises:
        Invalid: `info` is not the first part or not the only one, or there are no bytes, or too many.
    """
    info: UploadInfo | None = None
    # What it grows into it gives away without a copy.
    data = BytesIO()
    async for request in requests:
        if request.WhichOneof("part") == "info":
            if info is not None:
                raise Invalid.field("info", "must come once")
            info = request.info
            continue
        if info is None:
            raise Invalid.field("info", "must come first")
        if data.tell() + len(request.chunk) > MAX_BYTES:
            raise Invalid.field("chunk", f"must be {MAX_BYTES // 2**20} MiB in all at most")
        data.write(request.chunk)
    if info is None:
        raise Invalid.field("info", "must come first")
    return info, data.getvalue()


@contextmanager
def waiting_room() -> Iterator[IO[bytes]]:
    """A file without a name, which nobody has to clear away whatever happens; in memory as long as it is short.

    Raises:
        Unavailable: there is no room on the disk, which a file may say as late as when it is closed.
    """
    try:
        with SpooledTemporaryFile(IN_MEMORY) as file:
            yield file
    except OSError as error:
        raise Unavailable("there is no room for the picture; try again in a moment") from error


async def read_image(requests: AsyncIterable[HttpBody], into: IO[bytes], within: float = READ_WITHIN) -> None:
    """Collects the parts of a user's picture in a file.

    Raises:
        UploadTooLarge: they are too many.
        Invalid: there is nothing in them, or they do not arrive in time.
    """
    try:
        async with asyncio.timeout(within):
            size = await _collect(requests, into)
    except TimeoutError as error:
        raise Invalid.field("data", f"must arrive within {within:g} seconds") from error
    if not size:
        raise Invalid.field("data", "must be a picture, and is empty")


async def _collect(requests: AsyncIterable[HttpBody], into: IO[bytes]) -> int:
    size = 0
    async for request in requests:
        size += len(request.data)
        if size > HEARD_OUT:
            break
        if size <= MAX_UPLOAD_BYTES:
            await asyncio.to_thread(into.write, request.data)
    if size > MAX_UPLOAD_BYTES:
        raise UploadTooLarge
    await asyncio.to_thread(into.seek, 0)
    return size
