"""What is on disk when all is over: rows, blobs and renders, read with nobody else there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from chassis.database import Row
from chassis.renders.files import FileRenders
from services.generation.items_store import ItemStore
from services.generation.sweeping import Sweeping
from tests.databases import database_of

JOBS = "SELECT * FROM jobs"
ITEMS = "SELECT * FROM items"
DISCARDS = "SELECT * FROM discards"
ASSETS = "SELECT * FROM assets"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The truth, as the services left it."""

    jobs: dict[str, Row]
    items: list[Row]
    discards: list[Row]
    assets: list[Row]
    blobs: dict[str, str]
    """SHA-256 of each file, by key."""
    unnamed_renders: int
    """Renders that no item names: a worker died between keeping one and saying so; the sweep removes them."""
    renders: set[str]
    """Keys of those that are left after the sweep."""


async def gather_evidence(data_dir: Path, database_url: str | None) -> Evidence:
    """Reads everything; the system must be stopped."""
    opened = database_of("generation", data_dir, database_url), database_of("storage", data_dir, database_url)
    async with opened[0] as generation, opened[1] as storage:
        before = _renders(data_dir)
        renders = FileRenders(data_dir / "renders")
        await Sweeping(renders, ItemStore(generation), unnamed_for=timedelta(0)).sweep()
        after = _renders(data_dir)
        return Evidence(
            jobs={row["id"]: row for row in await generation.fetch(JOBS)},
            items=await generation.fetch(ITEMS),
            discards=await generation.fetch(DISCARDS),
            assets=await storage.fetch(ASSETS),
            blobs=_blobs(data_dir / "blobs"),
            unnamed_renders=len(before) - len(after),
            renders=after,
        )


def _renders(data_dir: Path) -> set[str]:
    # One that begins with a dot is a draft that a worker died over: nobody's, and swept in a day.
    return {path.name for path in (data_dir / "renders").iterdir() if not path.name.startswith(".")}


def _blobs(directory: Path) -> dict[str, str]:
    files = [path for side in ("private", "public") for path in (directory / side).iterdir()]
    return {f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
