"""Channels between services, where the other end is away."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from chassis.channels import open_channel
from streamerstudio.storage.v1.storage_service_pb2 import GetAssetRequest
from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceStub

TRIES = 15
"""As many as gRPC's default backoff makes in minutes, and one that grew to a second in twelve."""


async def test_a_service_that_is_away_for_long_is_looked_for_as_often_as_at_first() -> None:
    tries, enough = 0, asyncio.Event()

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal tries
        tries += 1
        if tries == TRIES:
            enough.set()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server, open_channel(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", {}) as channel:
        call = asyncio.ensure_future(StorageServiceStub(channel).GetAsset(GetAssetRequest(), wait_for_ready=True))
        async with asyncio.timeout(6):
            await enough.wait()
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
