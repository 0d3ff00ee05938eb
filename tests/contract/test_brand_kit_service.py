"""BrandKitService on the wire: what it answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.prompt.brand_kit_servicer import METHODS, SERVICE_NAME
from streamerstudio.prompt.v1 import brand_kit_service_pb2 as calls
from streamerstudio.prompt.v1.brand_kit_pb2 import BrandKit, Fonts, Tone, professional
from tests.builders import bearer, service_token
from tests.prompt_service import (
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


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[PromptService]:
    async with running_prompt_service(settings(tmp_path)) as service:
        yield service


async def http_code(call: grpc.aio.UnaryUnaryCall[Any, Any]) -> str | bytes | None:
    return dict(await call.initial_metadata()).get("x-http-code")


def test_every_method_has_a_policy_and_every_policy_a_method() -> None:
    methods = calls.DESCRIPTOR.services_by_name["BrandKitService"].methods

    assert {f"/{SERVICE_NAME}/{method.name}" for method in methods} == set(METHODS)


async def test_a_kit_is_created_normalised_and_not_active(service: PromptService) -> None:
    request = a_create_request(
        name="  Neon \n",
        primary_colors=["#ff0055", "#1a1A2e"],
        accent_colors=["#00e5ff"],
        fonts=Fonts(headline=" Fredoka One", body="Inter"),
        logo_url="https://example.com/logo.png",
        tone=Tone.competitive,
        style_reference="90s anime",
    )

    call = service.brand_kits.CreateBrandKit(request, metadata=as_user(ADA))
    kit = await call

    assert await http_code(call) == "201"
    assert kit == BrandKit(
        id=kit.id,
        user_id=ADA,
        name="Neon",
        is_active=False,
        primary_colors=["#FF0055", "#1A1A2E"],
        accent_colors=["#00E5FF"],
        fonts=Fonts(headline=" Fredoka One", body="Inter"),
        logo_url="https://example.com/logo.png",
        tone=Tone.competitive,
        style_reference="90s anime",
        created_at=kit.created_at,
        updated_at=kit.created_at,
    )
    assert kit.id == kit.id.lower() and len(kit.id) == 36
    assert kit.created_at.seconds > 0 and kit.created_at.nanos == 0


async def test_what_a_new_kit_does_not_say_has_its_default(service: PromptService) -> None:
    kit = await service.a_kit_of(ADA, logo_url="")

    assert (kit.tone, kit.style_reference, list(kit.accent_colors)) == (professional, "", [])
    assert not kit.HasField("logo_url") and not kit.HasField("extracted_from")


@pytest.mark.parametrize(
    "given",
    [
        {"name": f" {'n' * 100} "},
        {"name": "🎮" * 100},
        {"primary_colors": ["#FF0055"] * 5, "accent_colors": ["#00E5FF"] * 3},
        {"fonts": Fonts(headline="f" * 64, body="ﬁ" * 64)},
        {"style_reference": "🎮" * 500},
    ],
)
async def test_limits_are_inclusive_and_count_characters(service: PromptService, given: dict[str, Any]) -> None:
    await service.a_kit_of(ADA, **given)

    assert len(await service.kits_of(ADA)) == 1


async def test_a_list_has_the_newest_first_and_names_the_active_one(service: PromptService) -> None:
    old, new = await service.a_kit_of(ADA, name="Old"), await service.a_kit_of(ADA, name="New")
    await service.a_kit_of(EVE)
    before = await service.brand_kits.ListBrandKits(calls.ListBrandKitsRequest(), metadata=as_user(ADA))
    request = calls.ActivateBrandKitRequest(brand_kit_id=old.id)
    active = await service.brand_kits.ActivateBrandKit(request, metadata=as_user(ADA))

    after = await service.brand_kits.ListBrandKits(calls.ListBrandKitsRequest(), metadata=as_user(ADA))

    assert not before.HasField("active_id")
    assert list(after.brand_kits) == [new, active]
    assert (after.total, after.active_id) == (2, old.id)


async def test_no_active_kit_is_an_empty_answer_of_204(service: PromptService) -> None:
    await service.a_kit_of(ADA)

    call = service.brand_kits.GetActiveBrandKit(calls.GetActiveBrandKitRequest(), metadata=as_user(ADA))

    assert await call == BrandKit()
    assert await http_code(call) == "204"


async def test_an_activated_kit_is_the_active_one_in_place_of_another(service: PromptService) -> None:
    first, second = await service.a_kit_of(ADA), await service.a_kit_of(ADA)
    for kit in (first, second):
        request = calls.ActivateBrandKitRequest(brand_kit_id=kit.id.upper())
        activated = await service.brand_kits.ActivateBrandKit(request, metadata=as_user(ADA))

    call = service.brand_kits.GetActiveBrandKit(calls.GetActiveBrandKitRequest(), metadata=as_user(ADA))

    assert await call == activated
    assert (activated.id, activated.is_active) == (second.id, True)
    assert await http_code(call) is None
    assert [kit.is_active for kit in await service.kits_of(ADA)] == [True, False]


async def test_a_kit_is_got_by_its_id_in_any_case(service: PromptService) -> None:
    kit = await service.a_kit_of(ADA)
    request = calls.GetBrandKitRequest(brand_kit_id=kit.id.upper())

    assert await service.brand_kits.GetBrandKit(request, metadata=as_user(ADA)) == kit


async def test_a_service_may_read_anybodys_kit(service: PromptService) -> None:
    kit = await service.a_kit_of(ADA)
    request = calls.GetBrandKitRequest(brand_kit_id=kit.id)

    assert await service.brand_kits.GetBrandKit(request, metadata=bearer(service_token())) == kit


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"name": " Neon "}, {"name": "Neon"}),
        ({"primary_colors": colors("#00ff00")}, {"primary_colors": ["#00FF00"]}),
        ({"accent_colors": colors("#00ff00")}, {"accent_colors": ["#00FF00"]}),
        ({"accent_colors": colors()}, {"accent_colors": []}),
        ({"fonts": calls.FontsUpdate(headline="Fredoka")}, {"fonts": Fonts(headline="Fredoka", body="Inter")}),
        ({"fonts": calls.FontsUpdate(body="Manrope")}, {"fonts": Fonts(headline="Montserrat", body="Manrope")}),
        ({"fonts": calls.FontsUpdate()}, {}),
        ({"logo_url": "https://example.com/2"}, {"logo_url": "https://example.com/2"}),
        ({"logo_url": ""}, {"logo_url": None}),
        ({"tone": Tone.comedic}, {"tone": Tone.comedic}),
        ({"style_reference": ""}, {"style_reference": ""}),
        ({}, {}),
    ],
)
async def test_an_update_changes_what_it_gives_and_nothing_else(
    service: PromptService, given: dict[str, Any], changed: dict[str, Any]
) -> None:
    full = {"accent_colors": ["#FFFFFF"], "logo_url": "https://example.com/1", "style_reference": "90s anime"}
    kit = await service.a_kit_of(ADA, **full)
    expected = {field.name: value for field, value in kit.ListFields()} | changed

    updated = await service.brand_kits.UpdateBrandKit(an_update(kit.id.upper(), **given), metadata=as_user(ADA))

    assert updated == BrandKit(**{**expected, "updated_at": updated.updated_at})
    assert await service.kits_of(ADA) == [updated]


async def test_a_deleted_kit_is_gone_and_no_longer_active(service: PromptService) -> None:
    kit = await service.a_kit_of(ADA)
    activation = calls.ActivateBrandKitRequest(brand_kit_id=kit.id)
    await service.brand_kits.ActivateBrandKit(activation, metadata=as_user(ADA))
    request = calls.DeleteBrandKitRequest(brand_kit_id=kit.id.upper())

    call = service.brand_kits.DeleteBrandKit(request, metadata=as_user(ADA))

    assert await call == calls.DeleteBrandKitResponse()
    assert await http_code(call) == "204"
    again = await refusal(service.brand_kits.DeleteBrandKit(request, metadata=as_user(ADA)))
    assert (again.code, again.reason) == (grpc.StatusCode.NOT_FOUND, "BRAND_KIT_NOT_FOUND")
    active = service.brand_kits.GetActiveBrandKit(calls.GetActiveBrandKitRequest(), metadata=as_user(ADA))
    assert await active == BrandKit()
