"""Channels between services, where the other end is away."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from chassis.auth import current_caller
from chassis.channels import call_metadata, open_channel
from chassis.telemetry import current_request_id, log_context
from streamerstudio.storage.v1.asset_pb2 import Asset
from streamerstudio.storage.v1.storage_service_pb2 import GetAssetRequest
from streamerstudio.storage.v1.storage_service_pb2_grpc import StorageServiceStub
from tests.builders import service_token
from tests.scripted import ADA, ASSET, Context, serving

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


async def test_what_is_asked_of_another_service_has_the_id_of_the_request_it_is_asked_for() -> None:
    heard = list[str]()

    async def behind(_: Context) -> Asset:
        heard.append(current_request_id())
        return Asset()

    async with serving(asset=behind) as other:

        async def before(_: Context) -> Asset:
            return await other.stub.GetAsset(ASSET, metadata=call_metadata(current_caller().token))

        async with serving(asset=before) as service:
            await service.stub.GetAsset(ASSET, metadata=(*ADA, ("x-request-id", "r-1")))
        with log_context(request_id="r-2"):
            await other.stub.GetAsset(ASSET, metadata=call_metadata(service_token()))
        await other.stub.GetAsset(ASSET, metadata=call_metadata(service_token()))

    assert heard[:2] == ["r-1", "r-2"]
    assert heard[2] not in ("", *heard[:2])
