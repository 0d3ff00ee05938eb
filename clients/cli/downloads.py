"""Pictures as files."""

from __future__ import annotations

from pathlib import Path

from clients.cli.api import StudioApi
from clients.cli.failures import CommandFailed
from clients.cli.shapes import Asset

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def save_asset(api: StudioApi, asset: Asset, directory: Path, name: str | None = None) -> Path:
    """Downloads an asset into a directory, making it if need be; returns the file.

    Raises:
        CommandFailed: fewer bytes came than the asset has.
    """
    answer = api.download(asset["url"])
    if len(answer.content) != asset["file_size"]:
        raise CommandFailed(f"asset {asset['id']} has {asset['file_size']} bytes, and {len(answer.content)} came")
    content_type = answer.headers.get("content-type", "").partition(";")[0]
    stem = name or f"{asset['asset_type']}-{asset['id'][:8]}"
    path = directory / f"{stem}.{EXTENSIONS.get(content_type, 'bin')}"
    directory.mkdir(parents=True, exist_ok=True)
    path.write_bytes(answer.content)
    return path
