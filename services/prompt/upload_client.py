"""The storage service, over gRPC, for the uploads that brand kits name."""

from __future__ import annotations

import grpc

from chassis import channels
from services.prompt.style_references import UploadUnusable
from streamerstudio.storage.v1 import upload_service_pb2 as calls
from streamerstudio.storage.v1.upload_service_pb2_grpc import UploadServiceStub

TIMEOUT = 5.0
"""Seconds an app waits to hear whether its upload is there."""
NOT_THEIRS = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED)
REPEATABLE = {calls.DESCRIPTOR.services_by_name["UploadService"].full_name: ("GetUpload",)}


def open_channel(target: str) -> grpc.aio.Channel:
    """A channel to the replicas of storage."""
    return channels.open_channel(target, REPEATABLE)


class UploadClient:
    """The Uploads port over the storage service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = UploadServiceStub(channel)

    async def require(self, upload_id: str, token: str) -> None:
        """Asked with the user's own token, so storage decides whose it is."""
        request = calls.GetUploadRequest(upload_id=upload_id)
        try:
            await self._stub.GetUpload(request, metadata=channels.call_metadata(token), timeout=TIMEOUT)
        except grpc.aio.AioRpcError as error:
            if error.code() in NOT_THEIRS:
                raise UploadUnusable from error
            raise channels.untold(error) from error
