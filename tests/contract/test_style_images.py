"""Generation reads uploads from storage: what it gets, what it never will get, and what it waits for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from google.api.httpbody_pb2 import HttpBody

from chassis.errors import Unavailable
from services.generation.domain import RenderFailed
from services.generation.grpc_clients import StyleImageClient, open_channel
from streamerstudio.storage.v1.upload_pb2 import Upload
from streamerstudio.storage.v1.upload_service_pb2_grpc import UploadServiceStub
from tests.builders import service_token, user_token
from tests.pictures import a_picture
from tests.prompt_service import NOBODY_LISTENS
from tests.storage_service import NOBODYS, StorageService, as_user, running_storage_service, settings

PICTURE = a_picture(900, 700, mode="RGBA")


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[StorageService]:
    async with running_storage_service(settings(tmp_path)) as service:
        yield service


@pytest.fixture
async def upload(storage: StorageService) -> Upload:
    return await UploadServiceStub(storage.channel).UploadImage(iter([HttpBody(data=PICTURE)]), metadata=as_user("ada"))


@pytest.fixture
async def styles(storage: StorageService) -> AsyncIterator[StyleImageClient]:
    async with open_channel(f"127.0.0.1:{storage.port}") as channel:
        yield StyleImageClient(channel, service_token())


def bytes_on_disk(directory: Path) -> list[Path]:
    return list((directory / "blobs" / "uploads").iterdir())


async def test_it_is_exactly_what_storage_keeps(styles: StyleImageClient, upload: Upload, tmp_path: Path) -> None:
    style = await styles.fetch(upload.id, "ada")

    [kept] = bytes_on_disk(tmp_path)
    assert style.content_type == upload.content_type == "image/png"
    assert style.data == kept.read_bytes()
    assert len(style.data) > 256 * 1024  # in several pieces


async def test_what_its_owner_has_not_fails_the_picture_for_good(styles: StyleImageClient, upload: Upload) -> None:
    for upload_id, user_id in ((upload.id, "bob"), (NOBODYS, "ada")):
        with pytest.raises(RenderFailed) as failed:
            await styles.fetch(upload_id, user_id)

        failure = failed.value.failure
        assert (failure.reason, failure.stage, failure.retryable) == ("UPLOAD_NOT_FOUND", "render", False)
        assert failure.message.startswith("The picture that your brand kit takes its style from is gone.")


async def test_bytes_that_are_lost_fail_it_too(styles: StyleImageClient, upload: Upload, tmp_path: Path) -> None:
    for kept in bytes_on_disk(tmp_path):
        kept.unlink()

    with pytest.raises(RenderFailed):
        await styles.fetch(upload.id, "ada")


@pytest.mark.parametrize("token", [user_token("ada"), "no token"], ids=["a user's", "none"])
async def test_a_token_that_somebody_has_to_mend_fails_no_picture(
    storage: StorageService, upload: Upload, token: str
) -> None:
    async with open_channel(f"127.0.0.1:{storage.port}") as channel:
        with pytest.raises(Unavailable):
            await StyleImageClient(channel, token).fetch(upload.id, "ada")


async def test_storage_that_is_away_is_waited_for() -> None:
    async with open_channel(NOBODY_LISTENS) as channel:
        with pytest.raises(Unavailable):
            await StyleImageClient(channel, service_token()).fetch(NOBODYS, "ada")
