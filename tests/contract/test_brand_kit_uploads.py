"""Brand kits that name an upload: it has to be their owner's own, and only then is storage needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody

from streamerstudio.prompt.v1.prompt_service_pb2 import PreviewPromptRequest
from streamerstudio.storage.v1 import upload_service_pb2
from streamerstudio.storage.v1.upload_service_pb2_grpc import UploadServiceStub
from streamerstudio.type.v1.asset_type_pb2 import banner
from tests import storage_service
from tests.pictures import a_picture
from tests.prompt_service import (
    NOBODYS,
    PromptService,
    Refusal,
    a_create_request,
    an_update,
    as_user,
    refusal,
    running_prompt_service,
    settings,
)

PICTURE = a_picture()
NO_SUCH = "style_reference: you have no such upload"


class Studio:
    """The prompt service, and the storage it asks."""

    def __init__(self, prompt: PromptService, storage: storage_service.StorageService) -> None:
        self.prompt = prompt
        self.uploads = UploadServiceStub(storage.channel)

    async def an_upload_of(self, user_id: str) -> str:
        upload = await self.uploads.UploadImage(iter([HttpBody(data=PICTURE)]), metadata=as_user(user_id))
        return upload.id

    async def delete(self, user_id: str, upload_id: str) -> None:
        request = upload_service_pb2.DeleteUploadRequest(upload_id=upload_id)
        await self.uploads.DeleteUpload(request, metadata=as_user(user_id))

    async def refused(self, style_reference: str) -> Refusal:
        """How ada's new kit is refused."""
        request = a_create_request(style_reference=style_reference)
        return await refusal(self.prompt.brand_kits.CreateBrandKit(request, metadata=as_user("ada")))


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with storage_service.running_storage_service(storage_service.settings(tmp_path)) as storage:
        known = settings(tmp_path, STORAGE_ADDRESS=f"127.0.0.1:{storage.port}")
        async with running_prompt_service(known) as prompt:
            yield Studio(prompt, storage)


async def test_a_kit_may_name_an_upload_of_its_owners_with_words_or_without(studio: Studio) -> None:
    upload_id = await studio.an_upload_of("ada")

    bare = await studio.prompt.a_kit_of("ada", style_reference=f"upload:{upload_id}")
    kit = await studio.prompt.a_kit_of("ada", style_reference=f" upload:{upload_id.upper()}   its light ")

    assert bare.style_reference == f"upload:{upload_id}"
    assert kit.style_reference == f"upload:{upload_id} its light"


async def test_what_is_somebody_elses_and_what_is_nobodys_is_refused_in_the_same_words(studio: Studio) -> None:
    bobs, gone = await studio.an_upload_of("bob"), await studio.an_upload_of("ada")
    await studio.delete("ada", gone)

    refusals = [await studio.refused(f"upload:{upload_id}") for upload_id in (bobs, gone, NOBODYS)]

    for refused in refusals:
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
        assert (refused.message, refused.fields, refused.metadata) == (NO_SUCH, ["style_reference"], {})
    assert await studio.prompt.kits_of("ada") == []


@pytest.mark.parametrize("style", ["upload:", "upload:7", f"upload:{NOBODYS}x", f"upload: {NOBODYS}"])
async def test_what_only_begins_as_an_upload_is_refused(studio: Studio, style: str) -> None:
    refused = await studio.refused(style)

    assert (refused.code, refused.fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["style_reference"])
    assert refused.message == ("style_reference: must be words, or upload: with the id of an upload, a space and words")


async def test_an_update_is_held_to_the_same_and_leaves_a_kit_alone_that_names_what_is_gone(studio: Studio) -> None:
    mine, bobs = await studio.an_upload_of("ada"), await studio.an_upload_of("bob")
    kit = await studio.prompt.a_kit_of("ada", style_reference="90s anime")
    update, ada = studio.prompt.brand_kits.UpdateBrandKit, as_user("ada")

    refused = await refusal(update(an_update(kit.id, style_reference=f"upload:{bobs}"), metadata=ada))
    changed = await update(an_update(kit.id, style_reference=f"upload:{mine} grainy"), metadata=ada)
    await studio.delete("ada", mine)
    renamed = await update(an_update(kit.id, name="Another"), metadata=ada)
    cleared = await update(an_update(kit.id, style_reference=""), metadata=ada)

    assert (refused.message, refused.fields) == (NO_SUCH, ["style_reference"])
    assert changed.style_reference == renamed.style_reference == f"upload:{mine} grainy"
    assert cleared.style_reference == ""


async def test_the_words_are_in_the_prompt_and_the_id_never_is(studio: Studio) -> None:
    upload_id = await studio.an_upload_of("ada")
    kit = await studio.prompt.a_kit_of("ada", style_reference=f"upload:{upload_id} its grainy light")
    bare = await studio.prompt.a_kit_of("ada", style_reference=f"upload:{upload_id}")
    plain = await studio.prompt.a_kit_of("ada")

    async def prompt_of(kit_id: str) -> str:
        request = PreviewPromptRequest(asset_type=banner, brand_kit_id=kit_id)
        return (await studio.prompt.prompts.PreviewPrompt(request, metadata=as_user("ada"))).prompt

    assert "<style>its grainy light</style>" in await prompt_of(kit.id)
    assert upload_id not in await prompt_of(kit.id)
    assert await prompt_of(bare.id) == await prompt_of(plain.id)


async def test_without_storage_only_kits_that_name_an_upload_have_to_wait(tmp_path: Path) -> None:
    async with running_prompt_service(settings(tmp_path)) as service:
        kit = await service.a_kit_of("ada", style_reference="90s anime")
        metadata, style = as_user("ada"), f"upload:{NOBODYS}"
        created = await refusal(
            service.brand_kits.CreateBrandKit(a_create_request(style_reference=style), metadata=metadata)
        )
        updated = await refusal(
            service.brand_kits.UpdateBrandKit(an_update(kit.id, style_reference=style), metadata=metadata)
        )
        await service.brand_kits.UpdateBrandKit(an_update(kit.id, style_reference="grainy"), metadata=metadata)
        kits = await service.kits_of("ada")

    for refused in (created, updated):
        assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
    assert [kit.style_reference for kit in kits] == ["grainy"]
