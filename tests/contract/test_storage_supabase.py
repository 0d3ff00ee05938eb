"""The storage service on Supabase Storage: its links, its privacy, and what it says of a Supabase that is not well."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import grpc
import jwt
import pytest
from grpc_health.v1.health_pb2 import HealthCheckResponse

from chassis.settings import SettingsError
from streamerstudio.storage.v1 import storage_service_pb2 as calls
from streamerstudio.storage.v1.asset_pb2 import Asset, SignedUrl
from tests.blob_places import opens
from tests.contract.test_storage_process import is_healthy
from tests.fakes.http_server import Hang
from tests.fakes.supabase import FakeSupabase, instead
from tests.fakes.supabase_tokens import ANON_KEY, JWT_SECRET, SECRET_KEY, SERVICE_KEY
from tests.nats import NatsServer
from tests.prompt_service import refusal
from tests.queueing import eventually
from tests.storage_service import (
    AS_SERVICE,
    NO_NATS,
    PICTURE,
    PUBLIC_URL,
    StorageService,
    an_info,
    as_user,
    parts,
    running_storage_service,
    settings,
)

ADA = "ada"


@pytest.fixture
async def storage() -> AsyncIterator[FakeSupabase]:
    async with FakeSupabase() as storage:
        yield storage


@asynccontextmanager
async def on_supabase(
    storage: FakeSupabase, data_dir: Path, nats_url: str = NO_NATS, **given: str
) -> AsyncIterator[StorageService]:
    known = {"STUDIO_STORAGE": "supabase", "SUPABASE_URL": storage.url, "SUPABASE_SERVICE_KEY": SERVICE_KEY}
    async with running_storage_service(settings(data_dir, nats_url, **{**known, **given})) as service:
        yield service


@pytest.fixture
async def service(storage: FakeSupabase, tmp_path: Path) -> AsyncIterator[StorageService]:
    async with on_supabase(storage, tmp_path) as service:
        yield service


async def signed(service: StorageService, asset: Asset, **how: int) -> SignedUrl:
    request = calls.GetSignedUrlRequest(asset_id=asset.id, **how)
    return await service.stub.GetSignedUrl(request, metadata=as_user(asset.user_id))


def ends_in(url: str) -> float:
    """Seconds, by the token itself."""
    [token] = parse_qs(urlsplit(url).query)["token"]
    claims = jwt.decode(token, JWT_SECRET, ["HS256"])
    return float(claims["exp"]) - datetime.now(UTC).timestamp()


async def test_a_private_picture_opens_by_a_link_that_ends(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)

    short = await signed(service, asset, expires_in=120)

    assert await opens(asset.url) and await opens(short.url)
    assert 3590 < ends_in(asset.url) <= 3600
    assert 110 < ends_in(short.url) <= 120
    assert abs(short.expires_at.ToDatetime(tzinfo=UTC).timestamp() - datetime.now(UTC).timestamp() - 120) < 10
    assert not await opens(asset.url.partition("?")[0])


async def test_a_list_is_signed_in_one_request_and_every_link_opens(storage: FakeSupabase, tmp_path: Path) -> None:
    async with on_supabase(storage, tmp_path) as service:
        for _ in range(5):
            await service.an_asset_of(ADA)
    before = len(storage.received("POST", "/object/sign/"))

    async with on_supabase(storage, tmp_path) as service:
        listed = await service.stub.ListAssets(calls.ListAssetsRequest(), metadata=as_user(ADA))
        again = await service.stub.ListAssets(calls.ListAssetsRequest(), metadata=as_user(ADA))

    assert len(storage.received("POST", "/object/sign/")) == before + 1
    assert [await opens(asset.url) for asset in listed.assets] == [True] * 5
    assert again == listed


async def test_every_link_given_out_before_is_dead_after_a_change_of_visibility(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)
    links = [asset.url, (await signed(service, asset)).url]

    for is_public in (True, False, True, False):
        asset = await service.make_public(asset, is_public=is_public)
        assert [await opens(link) for link in links] == [False] * len(links)
        assert await opens(asset.url)
        assert ("/object/public/assets-public/" in asset.url) is is_public
        links.append(asset.url)


async def test_a_public_link_is_stable_and_the_shared_one_shows_what_is_public_now(service: StorageService) -> None:
    asset = await service.make_public(await service.an_asset_of(ADA))

    again = await service.stub.GetAsset(calls.GetAssetRequest(asset_id=asset.id), metadata=as_user(ADA))

    assert asset.url == again.url and "?" not in asset.url
    assert not (await signed(service, asset)).HasField("expires_at")
    assert (await service.shared(asset.id)).data == PICTURE
    await service.make_public(asset, is_public=False)
    assert (await refusal(service.shared(asset.id))).reason == "ASSET_NOT_FOUND"


async def test_after_a_deletion_nothing_opens_and_nothing_is_left(
    service: StorageService, storage: FakeSupabase
) -> None:
    private, public = await service.an_asset_of(ADA), await service.make_public(await service.an_asset_of(ADA))

    for asset in (private, public):
        await service.stub.DeleteAsset(calls.DeleteAssetRequest(asset_id=asset.id), metadata=as_user(ADA))

    assert not await opens(private.url) and not await opens(public.url)
    assert (await refusal(service.shared(public.id))).reason == "ASSET_NOT_FOUND"
    assert storage.buckets.names() == set()


async def test_our_own_links_open_nothing_private_here(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)
    name = urlsplit(asset.url).path.rpartition("/")[2]
    token = parse_qs(urlsplit(asset.url).query)["token"][0]

    for path in (f"private/{name}", f"private/{name}?token={token}", f"public/{name}", f"assets-private/{name}"):
        answer = await refusal(service.file(f"{PUBLIC_URL}/files/{path}"))
        assert (answer.code, answer.reason) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER")


async def test_links_survive_a_restart(storage: FakeSupabase, tmp_path: Path) -> None:
    async with on_supabase(storage, tmp_path) as service:
        private, public = await service.an_asset_of(ADA), await service.make_public(await service.an_asset_of(ADA))

    async with on_supabase(storage, tmp_path, SUPABASE_SERVICE_KEY=SECRET_KEY) as service:
        assert await opens(private.url) and await opens(public.url)
        assert (await service.shared(public.id)).data == PICTURE


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (jwt.encode({"role": "service_role"}, "another-" * 4, "HS256"), "SUPABASE_SERVICE_KEY"),
        (jwt.encode({"role": "service_role", "exp": 1}, JWT_SECRET, "HS256"), "SUPABASE_SERVICE_KEY"),
    ],
    ids=["of another project", "expired"],
)
async def test_a_wrong_key_is_told_to_the_log_and_to_no_client(
    storage: FakeSupabase, tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str, told: str
) -> None:
    caplog.set_level(logging.WARNING)
    async with on_supabase(storage, tmp_path, SUPABASE_SERVICE_KEY=key) as service:
        await is_healthy(service.channel, "ready", HealthCheckResponse.NOT_SERVING)

        refused = await refusal(service.stub.UploadAsset(parts(an_info(), PICTURE), metadata=AS_SERVICE))

        async def is_in_the_log() -> bool:
            return any(told in str(getattr(record, "why", "")) for record in caplog.records)

        await eventually(is_in_the_log)
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
    assert refused.message == "the place for pictures cannot be used right now" and refused.metadata == {}
    assert key not in str([vars(record) for record in caplog.records])


async def test_it_starts_without_supabase_and_makes_the_buckets_when_it_is_there(
    storage: FakeSupabase, tmp_path: Path, nats: NatsServer
) -> None:
    await storage.close()
    async with on_supabase(storage, tmp_path, nats.url) as service:
        await is_healthy(service.channel, "", HealthCheckResponse.SERVING)
        await is_healthy(service.channel, "ready", HealthCheckResponse.NOT_SERVING)
        refused = await refusal(service.stub.UploadAsset(parts(an_info(), PICTURE), metadata=AS_SERVICE))
        assert refused.reason == "UNAVAILABLE"

        await storage.start()

        await is_healthy(service.channel, "ready", HealthCheckResponse.SERVING)
        assert "assets-private" in storage.buckets and "assets-public" in storage.buckets
        assert await opens((await service.an_asset_of(ADA)).url)


async def test_a_supabase_that_hangs_is_told_as_such(
    storage: FakeSupabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    storage.faults = repeat(instead(Hang()))
    async with on_supabase(storage, tmp_path) as service:
        await is_healthy(service.channel, "ready", HealthCheckResponse.NOT_SERVING)

        async def is_in_the_log() -> bool:
            return any("does not answer within 2 s" in str(getattr(each, "why", "")) for each in caplog.records)

        await eventually(is_in_the_log)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"SUPABASE_URL": ""}, "SUPABASE_URL: must be set when STUDIO_STORAGE is supabase"),
        ({"SUPABASE_SERVICE_KEY": ""}, "SUPABASE_SERVICE_KEY: must be set when STUDIO_STORAGE is supabase"),
        ({"SUPABASE_URL": "xyz.supabase.co"}, "SUPABASE_URL: must be an http or https address"),
        ({"SUPABASE_SERVICE_KEY": ANON_KEY}, "SUPABASE_SERVICE_KEY: must be a secret key"),
        ({"SUPABASE_SERVICE_KEY": "sb_publishable_x"}, "SUPABASE_SERVICE_KEY: must be a secret key"),
        ({"SUPABASE_SERVICE_KEY": "eyJhbGciOi"}, "SUPABASE_SERVICE_KEY: must be a secret key"),
        ({"SUPABASE_SERVICE_KEY": "sb_secret_é"}, "SUPABASE_SERVICE_KEY: must be a secret key"),
    ],
)
def test_settings_that_cannot_work_are_named_and_not_shown(
    tmp_path: Path, given: dict[str, str], complaint: str
) -> None:
    known = {
        "STUDIO_STORAGE": "supabase",
        "SUPABASE_URL": "https://xyz.supabase.co",
        "SUPABASE_SERVICE_KEY": SERVICE_KEY,
    }

    with pytest.raises(SettingsError) as refused:
        settings(tmp_path, **{**known, **given})

    assert str(refused.value).startswith(complaint)
    assert not any(value and value in str(refused.value) for value in given.values())


def test_supabases_settings_are_nobodys_business_while_pictures_are_kept_here(tmp_path: Path) -> None:
    assert settings(tmp_path).supabase_url is None
