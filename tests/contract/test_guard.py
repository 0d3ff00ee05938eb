"""The Guard around a real server: who gets in, and with what."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody

from chassis.auth import NOBODY, Caller, current_caller, set_caller
from chassis.telemetry import current_request_id
from streamerstudio.storage.v1.asset_pb2 import Asset, UploadResult
from streamerstudio.storage.v1.storage_service_pb2 import (
    GetAssetRequest,
    ListAssetsRequest,
)
from tests.builders import bearer, user_token
from tests.scripted import ADA, ASSET, CHUNK, FILE, SERVICE, Context, failure, parts, raising, serving


async def test_a_user_is_known_to_the_method_they_call() -> None:
    seen: list[Caller] = []

    async def asset(_: Context) -> Asset:
        seen.append(current_caller())
        return Asset(id="4f0c")

    async with serving(asset=asset) as service:
        answer = await service.stub.GetAsset(ASSET, metadata=ADA)

    assert answer.id == "4f0c"
    assert [caller.user_id for caller in seen] == ["ada"]


async def test_a_method_that_does_not_exist_is_unimplemented() -> None:
    async with serving() as service:
        nope: Any = service.channel.unary_unary("/streamerstudio.storage.v1.StorageService/Nope")

        assert (await failure(nope(b"", metadata=ADA))).code is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("metadata", [ADA, SERVICE, ()], ids=["user", "service", "nobody"])
async def test_a_method_in_no_table_is_denied_to_all(metadata: tuple[tuple[str, str], ...]) -> None:
    async with serving() as service:
        refused = await failure(service.stub.ListAssets(ListAssetsRequest(), metadata=metadata))

    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_ONLY")
    assert refused.metadata == {"method": "/streamerstudio.storage.v1.StorageService/ListAssets"}


async def test_what_is_for_services_is_denied_to_users() -> None:
    async with serving() as service:
        refused = await failure(service.stub.UploadAsset(iter([CHUNK]), metadata=ADA))
        accepted = await service.stub.UploadAsset(iter([CHUNK]), metadata=SERVICE)

    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_ONLY")
    assert accepted == UploadResult()


async def test_nobody_gets_in_without_a_token() -> None:
    async with serving() as service:
        refused = [
            await failure(service.stub.GetAsset(ASSET)),
            await failure(service.stub.UploadAsset(iter([CHUNK]))),
            await failure(parts(service.chat(iter([CHUNK])))),
            await failure(service.stub.GetAsset(ASSET, metadata=(("authorization", "Basic YWRhOnB3"),))),
        ]

    assert {(each.code, each.reason) for each in refused} == {(grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")}


async def test_an_expired_token_is_called_so() -> None:
    async with serving() as service:
        refused = await failure(service.stub.GetAsset(ASSET, metadata=bearer(user_token(lifetime=-60))))

    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")


async def test_what_is_public_asks_for_no_token_and_looks_at_none() -> None:
    seen: list[Caller] = []

    async def file(_: Context) -> AsyncGenerator[HttpBody, None]:
        seen.append(current_caller())
        yield HttpBody(data=b"x")

    set_caller(Caller(user_id="eve", is_service=True, tier="", token=""))  # whoever started the server
    async with serving(file=file) as service:
        for metadata in ((), ADA, (("authorization", "Bearer rubbish"),)):
            assert len(await parts(service.stub.GetFile(FILE, metadata=metadata))) == 1

    assert seen == [NOBODY] * 3


async def test_a_caller_is_forgotten_when_their_call_ends() -> None:
    seen: list[tuple[str, str]] = []
    both = asyncio.Barrier(2)

    async def asset(_: Context) -> Asset:
        await both.wait()
        seen.append((current_caller().user_id, current_request_id()))
        await both.wait()
        seen.append((current_caller().user_id, current_request_id()))
        return Asset()

    async with serving(asset=asset) as service:
        calls = [
            service.stub.GetAsset(ASSET, metadata=(*bearer(user_token(user)), ("x-request-id", f"of-{user}")))
            for user in ("ada", "eve")
        ]
        await asyncio.gather(*calls)

    assert sorted(seen) == [("ada", "of-ada")] * 2 + [("eve", "of-eve")] * 2
    assert (current_caller(), current_request_id()) == (NOBODY, "")


async def test_a_bad_field_is_named_before_the_servicer_sees_it() -> None:
    async with serving(asset=raising(AssertionError("the servicer was called"))) as service:
        failed = await failure(service.stub.GetAsset(GetAssetRequest(asset_id="4f0c"), metadata=ADA))

    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert failed.fields == ["asset_id"]
    assert failed.message.startswith("asset_id: ")


async def test_a_stranger_is_not_told_what_is_wrong_with_their_request() -> None:
    async with serving() as service:
        failed = await failure(service.stub.GetAsset(GetAssetRequest(asset_id="4f0c")))

    assert failed.reason == "UNAUTHENTICATED"


async def test_a_request_id_is_kept() -> None:
    assert await request_id_for("4f0c-of-the-caller") == "4f0c-of-the-caller"
    assert await request_id_for("a" * 128) == "a" * 128


@pytest.mark.parametrize("given", [None, "", "a" * 129, "two words"])
async def test_a_request_id_that_is_missing_or_bad_is_made(given: str | None) -> None:
    assert str(uuid.UUID(await request_id_for(given))) != given


async def request_id_for(given: str | None) -> str:
    seen = asyncio.Queue[str]()

    async def asset(_: Context) -> Asset:
        seen.put_nowait(current_request_id())
        return Asset()

    async with serving(asset=asset) as service:
        metadata = ADA if given is None else (*ADA, ("x-request-id", given))
        with suppress(grpc.aio.AioRpcError):
            await service.stub.GetAsset(ASSET, metadata=metadata)
        return seen.get_nowait()
