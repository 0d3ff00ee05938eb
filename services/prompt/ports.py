"""What prompt needs from the outside, in its own words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.prompt.domain import AssetType, BrandKit, BrandKitChanges, BrandKitContext, PromptTemplate


class BrandKitStore(Protocol):
    """Keeps brand kits. Each method must happen as a whole or not at all, and raise Unavailable when it cannot tell.

    What changes a kit takes its owner: it must raise BrandKitNotFound when there is no such kit, NotOwner when it is
    somebody else's, and have changed nothing then.
    """

    async def add(self, kit: BrandKit) -> None:
        """Must raise BrandKitLimitReached when its user has MAX_BRAND_KITS, also when calls race."""
        ...

    async def get(self, brand_kit_id: str) -> BrandKit:
        """Whoever's it is, in one read. Must raise BrandKitNotFound."""
        ...

    async def active(self, user_id: str) -> BrandKit | None:
        """The user's active kit, in one read."""
        ...

    async def of_user(self, user_id: str) -> Sequence[BrandKit]:
        """All of a user's kits, newest first."""
        ...

    async def change(self, user_id: str, brand_kit_id: str, changes: BrandKitChanges, now: datetime) -> BrandKit:
        """Sets what is not None; of two racing changes to different fields, both must survive."""
        ...

    async def delete(self, user_id: str, brand_kit_id: str) -> None: ...

    async def activate(self, user_id: str, brand_kit_id: str, now: datetime) -> BrandKit:
        """Makes it the only active one of its user, also when calls race."""
        ...


class Uploads(Protocol):
    """Knows the pictures that users brought."""

    async def require(self, upload_id: str, token: str) -> None:
        """Must raise UploadUnusable unless the user with this access token has it, Unavailable when it cannot tell."""
        ...


class PromptWriter(Protocol):
    """Knows the templates and writes prompts; does no input or output."""

    def templates(self) -> Sequence[PromptTemplate]:
        """All of them, by asset type and version."""
        ...

    def load_template(self, asset_type: AssetType, version: str) -> PromptTemplate:
        """One of them, or of `LATEST` the highest. Must raise TemplateNotFound when there is none."""
        ...

    def build_prompt(
        self, asset_type: AssetType, brand_kit: BrandKitContext, custom_prompt: str | None, version: str
    ) -> str:
        """The complete prompt. Must raise TemplateNotFound when there is no such version."""
        ...
