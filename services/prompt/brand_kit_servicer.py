"""BrandKitService on the wire."""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.struct_pb2 import ListValue

from chassis.auth import Access, current_caller, current_user, grpc_methods
from chassis.times import to_timestamp
from services.prompt.callers import reader
from services.prompt.domain import BrandKit, BrandKitChanges, Fonts, NewBrandKit, Tone
from services.prompt.usecases import BrandKits
from streamerstudio.prompt.v1 import brand_kit_pb2 as messages
from streamerstudio.prompt.v1 import brand_kit_service_pb2 as calls
from streamerstudio.prompt.v1.brand_kit_service_pb2_grpc import BrandKitServiceServicer

SERVICE_NAME = calls.DESCRIPTOR.services_by_name["BrandKitService"].full_name
METHODS = grpc_methods(
    SERVICE_NAME,
    {
        "CreateBrandKit": Access.USER,
        "ListBrandKits": Access.USER,
        "GetActiveBrandKit": Access.USER,
        "GetBrandKit": Access.USER,
        "UpdateBrandKit": Access.USER,
        "DeleteBrandKit": Access.USER,
        "ActivateBrandKit": Access.USER,
    },
)

Context = grpc.aio.ServicerContext[Any, Any]
CREATED = (("x-http-code", "201"),)
NO_CONTENT = (("x-http-code", "204"),)


class BrandKitServicer(BrandKitServiceServicer):
    """Brand kits, for their owners; services may read any."""

    def __init__(self, brand_kits: BrandKits) -> None:
        self._brand_kits = brand_kits

    async def CreateBrandKit(self, request: calls.CreateBrandKitRequest, context: Context) -> messages.BrandKit:
        kit = await self._brand_kits.create_brand_kit(current_user(), current_caller().token, _new(request))
        await context.send_initial_metadata(CREATED)
        return _message(kit)

    async def ListBrandKits(self, request: calls.ListBrandKitsRequest, context: Context) -> messages.BrandKitList:
        kits = await self._brand_kits.list_brand_kits(current_user())
        active_id = next((kit.id for kit in kits if kit.is_active), None)
        return messages.BrandKitList(brand_kits=map(_message, kits), total=len(kits), active_id=active_id)

    async def GetActiveBrandKit(self, request: calls.GetActiveBrandKitRequest, context: Context) -> messages.BrandKit:
        kit = await self._brand_kits.get_active_brand_kit(current_user())
        if kit is None:
            await context.send_initial_metadata(NO_CONTENT)
            return messages.BrandKit()
        return _message(kit)

    async def GetBrandKit(self, request: calls.GetBrandKitRequest, context: Context) -> messages.BrandKit:
        return _message(await self._brand_kits.get_brand_kit(reader(), request.brand_kit_id.lower()))

    async def UpdateBrandKit(self, request: calls.UpdateBrandKitRequest, context: Context) -> messages.BrandKit:
        kit_id, token = request.brand_kit_id.lower(), current_caller().token
        return _message(await self._brand_kits.update_brand_kit(current_user(), token, kit_id, _changes(request)))

    async def DeleteBrandKit(
        self, request: calls.DeleteBrandKitRequest, context: Context
    ) -> calls.DeleteBrandKitResponse:
        await self._brand_kits.delete_brand_kit(current_user(), request.brand_kit_id.lower())
        await context.send_initial_metadata(NO_CONTENT)
        return calls.DeleteBrandKitResponse()

    async def ActivateBrandKit(self, request: calls.ActivateBrandKitRequest, context: Context) -> messages.BrandKit:
        return _message(await self._brand_kits.activate_brand_kit(current_user(), request.brand_kit_id.lower()))


def _new(request: calls.CreateBrandKitRequest) -> NewBrandKit:
    return NewBrandKit(
        name=request.name,
        primary_colors=tuple(request.primary_colors),
        accent_colors=tuple(request.accent_colors),
        fonts=Fonts(headline=request.fonts.headline, body=request.fonts.body),
        logo_url=request.logo_url or None,
        tone=_tone(request.tone) if request.HasField("tone") else Tone.PROFESSIONAL,
        style_reference=request.style_reference,
    )


def _changes(request: calls.UpdateBrandKitRequest) -> BrandKitChanges:
    fonts = request.fonts
    return BrandKitChanges(
        name=request.name if request.HasField("name") else None,
        primary_colors=_colors(request.primary_colors) if request.HasField("primary_colors") else None,
        accent_colors=_colors(request.accent_colors) if request.HasField("accent_colors") else None,
        headline_font=fonts.headline if fonts.HasField("headline") else None,
        body_font=fonts.body if fonts.HasField("body") else None,
        logo_url=request.logo_url if request.HasField("logo_url") else None,
        tone=_tone(request.tone) if request.HasField("tone") else None,
        style_reference=request.style_reference if request.HasField("style_reference") else None,
    )


def _colors(values: ListValue) -> tuple[str, ...]:
    return tuple(value.string_value for value in values.values)


def _tone(tone: messages.Tone.ValueType) -> Tone:
    return Tone(messages.Tone.Name(tone))


def _message(kit: BrandKit) -> messages.BrandKit:
    return messages.BrandKit(
        id=kit.id,
        user_id=kit.user_id,
        name=kit.name,
        is_active=kit.is_active,
        primary_colors=kit.primary_colors,
        accent_colors=kit.accent_colors,
        fonts=messages.Fonts(headline=kit.fonts.headline, body=kit.fonts.body),
        logo_url=kit.logo_url,
        tone=messages.Tone.Value(kit.tone),
        style_reference=kit.style_reference,
        extracted_from=kit.extracted_from,
        created_at=to_timestamp(kit.created_at),
        updated_at=to_timestamp(kit.updated_at),
    )
