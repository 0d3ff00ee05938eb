"""An upload as it comes in: who it is for, then its bytes."""

from __future__ import annotations

from collections.abc import AsyncIterable
from io import BytesIO

from chassis.errors import Invalid
from services.storage.domain import MAX_BYTES
from streamerstudio.storage.v1.storage_service_pb2 import UploadAssetRequest, UploadInfo


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
