"""What the prompt service can be asked to do."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from services.prompt.domain import (
    LATEST,
    AssetType,
    BrandKit,
    BrandKitChanges,
    BrandKitNotFound,
    NewBrandKit,
    NoActiveBrandKit,
    NotBrandKitOwner,
    PromptTemplate,
    TemplateNotFound,
    normalized,
)
from services.prompt.orders import (
    BRAND_KIT_GONE,
    TEMPLATE_GONE,
    PromptFailure,
    PromptOrder,
    PromptRequest,
    WrittenPrompt,
)
from services.prompt.ports import BrandKitStore, PromptWriter, Uploads
from services.prompt.sanitize import merged, sanitize
from services.prompt.style_references import read_style

DEFAULT_VERSION = LATEST
"""The template that is used when a request names no version. ADR-17."""

Clock = Callable[[], datetime]


class BrandKits:
    """Brand kits, for their owners."""

    def __init__(self, store: BrandKitStore, uploads: Uploads, clock: Clock) -> None:
        self._store = store
        self._uploads = uploads
        self._clock = clock

    async def create_brand_kit(self, user_id: str, token: str, new: NewBrandKit) -> BrandKit:
        """The token is the user's own: an upload that the kit names has to be theirs.

        Raises:
            BrandKitLimitReached: the user has as many as a user may have.
            UploadUnusable: they have no such upload.
        """
        now = self._clock()
        kit = BrandKit(
            id=str(uuid.uuid4()),
            user_id=user_id,
            name=new.name,
            is_active=False,
            primary_colors=new.primary_colors,
            accent_colors=new.accent_colors,
            fonts=new.fonts,
            logo_url=new.logo_url or None,
            tone=new.tone,
            style_reference=new.style_reference,
            extracted_from=None,
            created_at=now,
            updated_at=now,
        )
        kit = normalized(kit)
        await self._require_upload(kit.style_reference, token)
        await self._store.add(kit)
        return kit

    async def list_brand_kits(self, user_id: str) -> Sequence[BrandKit]:
        """Newest first."""
        return await self._store.of_user(user_id)

    async def get_active_brand_kit(self, user_id: str) -> BrandKit | None:
        return await self._store.active(user_id)

    async def get_brand_kit(self, reader: str | None, brand_kit_id: str) -> BrandKit:
        """A kit of the reader's, or anybody's when the reader is None.

        Raises:
            BrandKitNotFound: there is none.
            NotBrandKitOwner: it is somebody else's.
        """
        kit = await self._store.get(brand_kit_id)
        if reader is not None and kit.user_id != reader:
            raise NotBrandKitOwner(brand_kit_id)
        return kit

    async def resolve_brand_kit(self, reader: str | None, brand_kit_id: str | None) -> BrandKit:
        """The kit that a job of the reader's would use: the one given, or else the active one.

        Raises:
            NoActiveBrandKit: none was given, and none is active.
        """
        if brand_kit_id is not None:
            return await self.get_brand_kit(reader, brand_kit_id)
        active = None if reader is None else await self._store.active(reader)
        if active is None:
            raise NoActiveBrandKit
        return active

    async def update_brand_kit(self, user_id: str, token: str, brand_kit_id: str, changes: BrandKitChanges) -> BrandKit:
        """Raises BrandKitNotFound or NotBrandKitOwner, as do the two below; and UploadUnusable."""
        changes = normalized(changes)
        await self._require_upload(changes.style_reference or "", token)
        return await self._store.change(user_id, brand_kit_id, changes, self._clock())

    async def delete_brand_kit(self, user_id: str, brand_kit_id: str) -> None:
        await self._store.delete(user_id, brand_kit_id)

    async def activate_brand_kit(self, user_id: str, brand_kit_id: str) -> BrandKit:
        return await self._store.activate(user_id, brand_kit_id, self._clock())

    async def _require_upload(self, style_reference: str, token: str) -> None:
        """Only a kit that names an upload needs storage to answer."""
        upload_id = read_style(style_reference).upload_id
        if upload_id is not None:
            await self._uploads.require(upload_id, token)


class Prompts:
    """Templates, and prompts made with them."""

    def __init__(self, brand_kits: BrandKits, writer: PromptWriter) -> None:
        self._brand_kits = brand_kits
        self._writer = writer

    def list_templates(self) -> Sequence[PromptTemplate]:
        return self._writer.templates()

    def get_template(self, asset_type: str, version: str) -> PromptTemplate:
        """Raises TemplateNotFound, also for an asset type nobody knows."""
        if asset_type not in {known.value for known in AssetType}:
            raise TemplateNotFound(asset_type, version)
        return self._writer.load_template(AssetType(asset_type), version)

    async def preview_prompt(
        self, reader: str | None, brand_kit_id: str | None, request: PromptRequest
    ) -> WrittenPrompt:
        """What a job with these inputs would send; raises what `resolve_brand_kit` does, and TemplateNotFound."""
        kit = await self._brand_kits.resolve_brand_kit(reader, brand_kit_id)
        return self._write(kit, request)

    async def write_prompt(self, order: PromptOrder) -> WrittenPrompt | PromptFailure:
        """The prompt of one item of a job, or why there will never be one."""
        try:
            kit = await self._brand_kits.get_brand_kit(order.user_id, order.brand_kit_id)
            return self._write(kit, order.request)
        except (BrandKitNotFound, NotBrandKitOwner):
            return BRAND_KIT_GONE
        except TemplateNotFound:
            return TEMPLATE_GONE

    def _write(self, kit: BrandKit, request: PromptRequest) -> WrittenPrompt:
        version = request.template_version or DEFAULT_VERSION
        template = self._writer.load_template(request.asset_type, version)
        words = sanitize(request.custom_prompt)
        brand = kit.context()
        exactly = f"v{template.version}"
        return WrittenPrompt(
            text=self._writer.build_prompt(request.asset_type, brand, words.text, exactly),
            words=words.text,
            findings=merged(words.report, *(sanitize(text).report for text in brand.typed())),
            brand_kit=brand,
            template=template,
        )
