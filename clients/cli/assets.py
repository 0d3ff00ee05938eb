"""`studio assets`: finished pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clients.cli.downloads import save_asset
from clients.cli.output import print_fields, print_json, print_table, remarks, size
from clients.cli.session import Json, Url, User, open_api
from clients.cli.shapes import Asset

app = typer.Typer(no_args_is_help=True, help="Your finished pictures.")

AssetId = Annotated[str, typer.Argument(metavar="ASSET", help="Id of the asset.")]


@app.command("list")
def list_all(
    asset_type: Annotated[str | None, typer.Option("--type", help="Only of this type.")] = None,
    job: Annotated[str | None, typer.Option("--job", help="Only of this job.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="How many, 1 to 100; 20 unless given.")] = None,
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Lists your pictures, newest first."""
    with open_api(url, user) as api:
        found = api.assets(asset_type=asset_type, job_id=job, limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            asset["id"],
            asset["asset_type"],
            _pixels(asset),
            size(asset["file_size"]),
            asset["is_public"],
            asset["created_at"],
        )
        for asset in found["assets"]
    ]
    print_table(("ID", "TYPE", "PIXELS", "SIZE", "PUBLIC", "CREATED"), rows)


@app.command("show")
def show(asset_id: AssetId, url: Url = None, user: User = None, as_json: Json = False) -> None:
    """Shows a picture's particulars, with a link to it."""
    with open_api(url, user) as api:
        asset = api.asset(asset_id)
        _print(asset, api.url, as_json)


@app.command("download")
def download(
    asset_id: AssetId,
    out: Annotated[Path, typer.Option("--out", help="Directory for the file.")] = Path("out"),
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Downloads a picture."""
    with open_api(url, user) as api:
        asset = api.asset(asset_id)
        path = save_asset(api, asset, out)
    if as_json:
        print_json({**asset, "file": str(path)})
    else:
        print(path)


@app.command("publish")
def publish(asset_id: AssetId, url: Url = None, user: User = None, as_json: Json = False) -> None:
    """Lets everybody with the link see a picture."""
    _set_visibility(asset_id, True, url, user, as_json)


@app.command("unpublish")
def unpublish(asset_id: AssetId, url: Url = None, user: User = None, as_json: Json = False) -> None:
    """Makes a picture yours alone again; links given out stop working."""
    _set_visibility(asset_id, False, url, user, as_json)


@app.command("delete")
def delete(asset_id: AssetId, url: Url = None, user: User = None, as_json: Json = False) -> None:
    """Deletes a picture for good."""
    with open_api(url, user) as api:
        api.delete_asset(asset_id)
    if as_json:
        print_json({"deleted": asset_id})
    else:
        remarks().print(f"asset {asset_id} is deleted")


def _set_visibility(asset_id: str, is_public: bool, url: str | None, user: str | None, as_json: bool) -> None:
    with open_api(url, user) as api:
        asset = api.set_visibility(asset_id, is_public)
        _print(asset, api.url, as_json)


def _print(asset: Asset, api_url: str, as_json: bool) -> None:
    if as_json:
        print_json(asset)
        return
    fields = [
        ("id", asset["id"]),
        ("type", asset["asset_type"]),
        ("pixels", _pixels(asset)),
        ("size", size(asset["file_size"])),
        ("public", asset["is_public"]),
        ("job", asset["job_id"]),
        ("created", asset["created_at"]),
        ("url", asset["url"]),
    ]
    shared = [("to share", f"{api_url}/asset/{asset['id']}")] if asset["is_public"] else []
    print_fields([*fields, *shared])


def _pixels(asset: Asset) -> str:
    return f"{asset['width']}×{asset['height']}"
