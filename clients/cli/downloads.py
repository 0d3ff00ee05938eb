"""Pictures as files."""

from __future__ import annotations

import os
from pathlib import Path

from clients.cli.api import StudioApi
from clients.cli.failures import CommandFailed, NotUsable
from clients.cli.shapes import Asset

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def require_writable(directory: Path) -> None:
    """To be called before pictures are asked for, which may cost money; touches nothing.

    Raises:
        NotUsable: they could not be saved there.
    """
    there = next(parent for parent in (directory, *directory.parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise NotUsable(f"--out: {directory} cannot be written")


def save_asset(api: StudioApi, asset: Asset, directory: Path, name: str | None = None) -> Path:
    """Downloads an asset into a directory, making it if need be; returns the file.

    Raises:
        CommandFailed: fewer bytes came than the asset has, or they could not be written.
    """
    answer = api.download(asset["url"])
    if len(answer.content) != asset["file_size"]:
        raise CommandFailed(f"asset {asset['id']} has {asset['file_size']} bytes, and {len(answer.content)} came")
    content_type = answer.headers.get("content-type", "").partition(";")[0]
    stem = name or f"{asset['asset_type']}-{asset['id'][:8]}"
    path = directory / f"{stem}.{EXTENSIONS.get(content_type, 'bin')}"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_bytes(answer.content)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}") from error
    return path
