"""BrandKitService on the wire: how it refuses, and that nothing has changed then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.struct_pb2 import ListValue, Value

from streamerstudio.prompt.v1 import brand_kit_service_pb2 as calls
from streamerstudio.prompt.v1.brand_kit_pb2 import Fonts
from tests.builders import SERVICE_SECRET, bearer, service_token, user_token
from tests.prompt_service import (
    NOBODYS,
    PromptService,
    a_create_request,
    an_update,
    as_user,
    colors,
    refusal,
    running_prompt_service,
    settings,
)

ADA, EVE = "ada", "eve"
INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
ANONYMOUS = (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[PromptService]:
    async with running_prompt_service(settings(tmp_path)) as service:
        yield service


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \t"}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "\x1c"}, "name"),
        ({"primary_colors": []}, "primary_colors"),
        ({"primary_colors": ["#FF0055"] * 6}, "primary_colors"),
        ({"primary_colors": ["#FF0055", "red"]}, "primary_colors[1]"),
        ({"primary_colors": ["#FF00551"]}, "primary_colors[0]"),
        ({"primary_colors": ["#FF0055\n"]}, "primary_colors[0]"),
        ({"accent_colors": ["#FF0055"] * 4}, "accent_colors"),
        ({"accent_colors": ["FF0055"]}, "accent_colors[0]"),
        ({"fonts": None}, "fonts"),
        ({"fonts": Fonts(headline="Inter")}, "fonts.body"),
        ({"fonts": Fonts(headline="f" * 65, body="Inter")}, "fonts.headline"),
        ({"fonts": Fonts(headline="two\nlines", body="Inter")}, "fonts.headline"),
        ({"fonts": Fonts(headline="Inter", body="nul\0")}, "fonts.body"),
        ({"logo_url": "http://example.com"}, "logo_url"),
        ({"logo_url": "https://two words"}, "logo_url"),
        ({"tone": 0}, "tone"),
        ({"tone": 6}, "tone"),
        ({"style_reference": "s" * 501}, "style_reference"),
        ({"style_reference": "\0"}, "style_reference"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else None,
)
async def test_a_bad_field_is_named_and_nothing_is_kept(
    service: PromptService, given: dict[str, Any], field: str
) -> None:
    request = a_create_request(**given)

    refused = await refusal(service.brand_kits.CreateBrandKit(request, metadata=as_user(ADA)))

    assert (refused.code, refused.reason) == INVALID
    assert refused.fields == [field]
    assert refused.message.startswith(f"{field}: ")
    assert await service.kits_of(ADA) == []


async def test_an_eleventh_kit_is_refused(service: PromptService) -> None:
    for _ in range(10):
        await service.a_kit_of(ADA)

    refused = await refusal(service.brand_kits.CreateBrandKit(a_create_request(), metadata=as_user(ADA)))

    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "BRAND_KIT_LIMIT")
    assert refused.metadata == {"limit": "10"}
    assert len(await service.kits_of(ADA)) == 10


async def test_a_service_has_no_kits_of_its_own(service: PromptService) -> None:
    metadata = bearer(service_token())

    listed = await refusal(service.brand_kits.ListBrandKits(calls.ListBrandKitsRequest(), metadata=metadata))
    created = await refusal(service.brand_kits.CreateBrandKit(a_create_request(), metadata=metadata))

    assert (listed.code, listed.reason) == (created.code, created.reason) == ANONYMOUS


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "\x1c"}, "name"),
        ({"primary_colors": colors()}, "primary_colors"),
        ({"primary_colors": colors(*["#FF0055"] * 6)}, "primary_colors"),
        ({"primary_colors": colors("red")}, "primary_colors"),
        ({"primary_colors": ListValue(values=[Value(number_value=7)])}, "primary_colors"),
        ({"accent_colors": colors(*["#FF0055"] * 4)}, "accent_colors"),
        ({"fonts": calls.FontsUpdate(headline="")}, "fonts.headline"),
        ({"fonts": calls.FontsUpdate(body="two\nlines")}, "fonts.body"),
        ({"logo_url": "ftp://example.com"}, "logo_url"),
        ({"tone": 0}, "tone"),
        ({"style_reference": "s" * 501}, "style_reference"),
    ],
)
async def test_a_bad_update_names_the_field_and_changes_nothing(
    service: PromptService, given: dict[str, Any], field: str
) -> None:
    kit = await service.a_kit_of(ADA)

    refused = await refusal(
        service.brand_kits.UpdateBrandKit(an_update(kit.id, **given), metadata=as_user(ADA)),
    )

    assert (refused.code, refused.reason) == INVALID
    assert refused.fields == [field]
    assert await service.kits_of(ADA) == [kit]


ONE_KIT = {
    "GetBrandKit": calls.GetBrandKitRequest,
    "UpdateBrandKit": calls.UpdateBrandKitRequest,
    "DeleteBrandKit": calls.DeleteBrandKitRequest,
    "ActivateBrandKit": calls.ActivateBrandKitRequest,
}


@pytest.mark.parametrize("method", ONE_KIT)
async def test_somebody_elses_kit_is_refused_and_left_alone(service: PromptService, method: str) -> None:
    kit = await service.a_kit_of(ADA)
    request = ONE_KIT[method](brand_kit_id=kit.id)

    refused = await refusal(getattr(service.brand_kits, method)(request, metadata=as_user(EVE)))

    assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER")
    assert refused.metadata == {"brand_kit_id": kit.id}
    assert await service.kits_of(ADA) == [kit]


@pytest.mark.parametrize("method", ONE_KIT)
async def test_a_kit_that_does_not_exist_is_not_found(service: PromptService, method: str) -> None:
    request = ONE_KIT[method](brand_kit_id=NOBODYS)

    refused = await refusal(getattr(service.brand_kits, method)(request, metadata=as_user(ADA)))

    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "BRAND_KIT_NOT_FOUND")
    assert refused.metadata == {"brand_kit_id": NOBODYS}


@pytest.mark.parametrize("method", ONE_KIT)
@pytest.mark.parametrize("brand_kit_id", ["", "not-a-uuid", NOBODYS.replace("-", ""), NOBODYS + "\n"])
async def test_an_id_that_is_no_uuid_is_invalid(service: PromptService, method: str, brand_kit_id: str) -> None:
    request = ONE_KIT[method](brand_kit_id=brand_kit_id)

    refused = await refusal(getattr(service.brand_kits, method)(request, metadata=as_user(ADA)))

    assert (refused.code, refused.reason) == INVALID
    assert refused.fields == ["brand_kit_id"]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ((), "UNAUTHENTICATED"),
        (bearer("not a token"), "UNAUTHENTICATED"),
        (bearer(user_token(ADA, secret=SERVICE_SECRET)), "UNAUTHENTICATED"),
        (bearer(user_token(ADA, type="refresh")), "UNAUTHENTICATED"),
        (bearer(user_token(ADA, lifetime=-60)), "TOKEN_EXPIRED"),
    ],
)
async def test_nobody_gets_in_without_a_good_token(service: PromptService, metadata: Any, reason: str) -> None:
    kit = await service.a_kit_of(ADA)
    answers: list[Awaitable[object]] = [
        service.brand_kits.ListBrandKits(calls.ListBrandKitsRequest(), metadata=metadata),
        service.brand_kits.CreateBrandKit(a_create_request(), metadata=metadata),
        service.brand_kits.DeleteBrandKit(calls.DeleteBrandKitRequest(brand_kit_id=kit.id), metadata=metadata),
    ]

    refused = [await refusal(answer) for answer in answers]

    assert {(each.code, each.reason) for each in refused} == {(grpc.StatusCode.UNAUTHENTICATED, reason)}
    assert await service.kits_of(ADA) == [kit]
