"""From a setting to a place for renders."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from chassis.queue import Queue
from chassis.renders.files import FileRenders
from chassis.renders.object_store import ObjectStoreRenders
from chassis.renders.port import Renders

RendersKind = Literal["files", "object_store"]


def open_renders(kind: RendersKind, data_dir: Path, queue: Queue) -> Renders:
    """Files when everything runs on one machine, an object store in JetStream otherwise."""
    return FileRenders(data_dir / "renders") if kind == "files" else ObjectStoreRenders(queue)
