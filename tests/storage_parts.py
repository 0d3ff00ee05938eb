"""The parts of the storage service for a test that drives its use cases."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from chassis.database import Database
from services.storage.blobs.local import LocalBlobs
from services.storage.converting import PillowConverter
from services.storage.domain import Asset, AssetNotFound, BlobMissing, Filter, Item, LinkRefused, State, is_public_key
from services.storage.pictures import PillowPictures
from services.storage.ports import AssetStore, Blobs
from services.storage.store import DatabaseAssets
from services.storage.upload_ports import UploadStore
from services.storage.uploads_store import DatabaseUploads
from services.storage.usecases.checking import Checking
from services.storage.usecases.files import Files
from services.storage.usecases.gallery import Gallery
from services.storage.usecases.keeping import Keeper
from services.storage.usecases.moving import Moves
from services.storage.usecases.removing import Recovery, Removal
from services.storage.usecases.uploading import Uploading
from tests.blob_places import PUBLIC_URL, SIGNER, LocalPlace, opens
from tests.builders import NOON

MIGRATIONS = Path(__file__).parents[1] / "services" / "storage" / "migrations"


@dataclass(slots=True)
class Clock:
    """Stands still until it is told to go on."""

    time: datetime = NOON

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **by: float) -> None:
        self.time += timedelta(**by)


def an_item(user_id: str = "ada", **changes: Any) -> Item:
    """The first variation of a new job."""
    return replace(Item(str(uuid.uuid4()), 0, user_id, "thumbnail"), **changes)


def local_blobs(directory: Path, clock: Clock | None = None) -> LocalBlobs:
    return LocalPlace(directory).blobs(clock or Clock())


@dataclass(slots=True)
class Parts:
    """Use cases over one database and one place for bytes."""

    store: AssetStore
    uploads: UploadStore
    blobs: Blobs
    clock: Clock
    moves: Moves = field(init=False)
    keeper: Keeper = field(init=False)
    gallery: Gallery = field(init=False)
    files: Files = field(init=False)
    recovery: Recovery = field(init=False)
    checking: Checking = field(init=False)
    uploading: Uploading = field(init=False)

    def __post_init__(self) -> None:
        removal = Removal(self.store, self.blobs)
        self.moves = Moves(self.store, self.blobs)
        self.keeper = Keeper(self.store, self.blobs, PillowPictures(), self.clock)
        self.gallery = Gallery(self.store, self.blobs, self.moves, removal, 3600)
        self.files = Files(self.store, self.uploads, self.blobs, SIGNER, self.clock)
        self.uploading = Uploading(self.uploads, self.blobs, PillowConverter(), self.clock, 3600)
        self.recovery = Recovery(self.store, self.moves, removal, self.uploading, self.clock)
        self.checking = Checking(self.store, self.uploads, self.blobs, self.clock)

    def everything(self) -> Filter:
        """The first page of all there is."""
        return Filter(user_id=None, asset_type=None, job_id=None, limit=100, offset=0)

    async def url(self, asset_id: str) -> str:
        return (await self.gallery.get_asset(None, asset_id)).url

    async def opens(self, url: str) -> bool:
        """Whether somebody who has this url sees the picture."""
        if not url.startswith(PUBLIC_URL):
            return await opens(url)
        path, _, token = url.removeprefix(f"{PUBLIC_URL}/files/").partition("?token=")
        try:
            async with self.files.open_link(path, token) as file:
                return bool([chunk async for chunk in file.chunks])
        except LinkRefused:
            return False

    async def is_shared(self, asset_id: str) -> bool:
        """Whether the link people share shows the picture."""
        try:
            async with self.files.open_shared(asset_id) as file:
                return bool([chunk async for chunk in file.chunks])
        except AssetNotFound:
            return False


def parts_over(database: Database, directory: Path, clock: Clock | None = None) -> Parts:
    clock = clock or Clock()
    return Parts(DatabaseAssets(database), DatabaseUploads(database), local_blobs(directory, clock), clock)


async def exists(blobs: Blobs, key: str) -> bool:
    try:
        async with blobs.read(key):
            return True
    except BlobMissing:
        return False


def keys_on_disk(directory: Path) -> set[str]:
    """Every file there is, drafts too."""
    return LocalPlace(directory).all_keys()


def is_at_rest(asset: Asset) -> bool:
    """Whether nothing is left to be done for it, and all its row says fits together."""
    settled = asset.next_key is asset.old_key is None and asset.state in (State.STORED, State.DELETED, State.ABANDONED)
    return settled and (asset.state is not State.STORED or asset.is_public is is_public_key(asset.key))
