"""Pictures on their way out: signed links, public links, and the link people share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from services.storage.domain import new_key
from streamerstudio.storage.v1 import storage_service_pb2 as calls
from streamerstudio.storage.v1.asset_pb2 import Asset, SignedUrl
from tests.pictures import a_picture
from tests.prompt_service import Refusal, refusal
from tests.queueing import eventually
from tests.storage_service import (
    NOBODYS,
    PICTURE,
    PUBLIC_URL,
    StorageService,
    as_user,
    running_storage_service,
    settings,
)

ADA = "ada"
REFUSED = (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[StorageService]:
    async with running_storage_service(settings(tmp_path)) as service:
        yield service


async def signed(service: StorageService, asset: Asset, **how: int) -> SignedUrl:
    request = calls.GetSignedUrlRequest(asset_id=asset.id, **how)
    return await service.stub.GetSignedUrl(request, metadata=as_user(asset.user_id))


async def got(service: StorageService, asset: Asset) -> Asset:
    return await service.stub.GetAsset(calls.GetAssetRequest(asset_id=asset.id), metadata=as_user(asset.user_id))


def seconds_from_now(link: SignedUrl) -> float:
    return (link.expires_at.ToDatetime(tzinfo=UTC) - datetime.now(UTC)).total_seconds()


def max_age(cache_control: str) -> int:
    return int(cache_control.partition("max-age=")[2])


async def test_a_signed_link_works_for_as_long_as_was_asked_for(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)

    default, short = await signed(service, asset), await signed(service, asset, expires_in=120)

    assert 3590 < seconds_from_now(default) <= 3600
    assert 110 < seconds_from_now(short) <= 120
    download = await service.file(short.url)
    assert download.data == PICTURE
    assert download.headers["cache-control"].startswith("private, max-age=")
    assert 100 < max_age(download.headers["cache-control"]) <= 120


async def test_the_default_life_of_a_link_is_a_setting(tmp_path: Path) -> None:
    async with running_storage_service(settings(tmp_path, SIGNED_URL_TTL="60")) as service:
        asset = await service.an_asset_of(ADA)

        assert 50 < seconds_from_now(await signed(service, asset)) <= 60


async def test_a_picture_travels_in_pieces_and_is_nothing_but_a_picture(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)

    download = await service.file(asset.url)

    assert len(download.data) > 1024 * 1024
    assert download.largest <= 256 * 1024
    assert download.headers["x-content-type-options"] == "nosniff"
    assert download.headers["content-security-policy"] == "default-src 'none'"


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
async def test_a_picture_is_served_as_what_it_is(service: StorageService, kind: str) -> None:
    data = a_picture(kind=kind)

    asset = await service.an_asset_of(ADA, data, content_type="image/png")

    download = await service.file(asset.url)
    assert (download.data, download.content_type) == (data, f"image/{kind.lower()}")


async def test_every_link_that_opens_nothing_gets_the_same_answer(service: StorageService) -> None:
    asset, other = await service.an_asset_of(ADA), await service.an_asset_of(ADA)
    path, _, token = asset.url.partition("?token=")
    other_token = other.url.partition("?token=")[2]
    expiry, _, signature = token.partition(".")
    urls = [
        path,
        f"{path}?token=",
        f"{path}?token={other_token}",
        f"{path}?token={int(expiry) + 1}.{signature}",
        f"{path}?token={expiry}.{signature[:-1]}",
        f"{path}?token={expiry}.{signature}=",
        f"{path}?token=1.{signature}",
        f"{path}?token=é.ü",
        f"{path}/?token={token}",
        f"{PUBLIC_URL}/files/{new_key(is_public=False)}?token={token}",
        f"{PUBLIC_URL}/files/{new_key(is_public=True)}",
        f"{PUBLIC_URL}/files/../storage.db",
        f"{PUBLIC_URL}/files/nothing",
    ]

    answers: list[Refusal] = [await refusal(service.file(url)) for url in urls]

    assert {(answer.code, answer.reason) for answer in answers} == {REFUSED}
    assert len({(answer.message, str(answer.metadata)) for answer in answers}) == 1
    assert (await service.file(asset.url)).data == PICTURE


async def test_an_expired_link_gets_the_same_answer(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)
    link = await signed(service, asset, expires_in=1)
    unknown = await refusal(service.file(f"{PUBLIC_URL}/files/nothing"))

    async def is_over() -> bool:
        return seconds_from_now(link) <= 0

    await eventually(is_over)

    assert await refusal(service.file(link.url)) == unknown


async def test_a_public_asset_has_one_link_without_a_token(service: StorageService) -> None:
    asset = await service.make_public(await service.an_asset_of(ADA))

    assert asset.is_public
    assert "?" not in asset.url
    assert asset.url == (await got(service, asset)).url
    download = await service.file(asset.url)
    assert (download.data, download.content_type) == (PICTURE, "image/png")
    assert download.headers["cache-control"] == "public, max-age=60"
    link = await signed(service, asset)
    assert link.url == asset.url
    assert not link.HasField("expires_at")


async def test_a_change_of_visibility_kills_every_link_given_out_before(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)
    links = [asset.url, (await signed(service, asset)).url]

    for is_public in (True, False, True, False):
        asset = await service.make_public(asset, is_public=is_public)
        for link in links:
            answer = await refusal(service.file(link))
            assert (answer.code, answer.reason) == REFUSED
        assert (await service.file(asset.url)).data == PICTURE
        links.append(asset.url)


async def test_saying_again_what_is_so_changes_no_link(service: StorageService) -> None:
    asset = await service.make_public(await service.an_asset_of(ADA))

    again = await service.make_public(asset)

    assert again == asset


async def test_the_link_people_share_shows_what_is_public_now(service: StorageService) -> None:
    asset = await service.an_asset_of(ADA)
    private = await refusal(service.shared(asset.id))
    await service.make_public(asset)

    download = await service.shared(asset.id.upper())

    assert (download.data, download.content_type) == (PICTURE, "image/png")
    assert download.headers["cache-control"] == "no-cache"
    await service.make_public(asset, is_public=False)
    again = await refusal(service.shared(asset.id))
    nobodys = await refusal(service.shared(NOBODYS))
    assert (private.code, private.reason) == (grpc.StatusCode.NOT_FOUND, "ASSET_NOT_FOUND")
    assert private == again
    assert nobodys.message == private.message.replace(asset.id, NOBODYS)


async def test_links_survive_a_restart(tmp_path: Path) -> None:
    async with running_storage_service(settings(tmp_path)) as service:
        private = await service.an_asset_of(ADA)
        public = await service.make_public(await service.an_asset_of(ADA))

    async with running_storage_service(settings(tmp_path)) as service:
        for asset in (private, public):
            assert (await service.file(asset.url)).data == PICTURE


async def test_another_secret_kills_signed_links_alone(tmp_path: Path) -> None:
    async with running_storage_service(settings(tmp_path)) as service:
        private = await service.an_asset_of(ADA)
        public = await service.make_public(await service.an_asset_of(ADA))

    async with running_storage_service(settings(tmp_path, FILES_SECRET="another-" * 4)) as service:
        assert (await refusal(service.file(private.url))).reason == "NOT_OWNER"
        assert (await service.file(public.url)).data == PICTURE


@pytest.mark.parametrize(("path", "field"), [("", "path"), ("a" * 513, "path"), ("a\0", "path")])
async def test_a_path_that_can_be_none_is_invalid(service: StorageService, path: str, field: str) -> None:
    refused = await refusal(service.file(f"{PUBLIC_URL}/files/{path}"))

    assert (refused.code, refused.fields) == (grpc.StatusCode.INVALID_ARGUMENT, [field])
