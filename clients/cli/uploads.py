"""`studio uploads`: pictures of your own, for others to borrow their style from."""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import Path
from typing import Annotated

import typer

from clients.cli.failures import NotUsable
from clients.cli.output import print_fields, print_json, print_table, remarks, size
from clients.cli.session import Json, Url, User, open_api
from clients.cli.shapes import Upload

app = typer.Typer(no_args_is_help=True, help="Pictures of your own, for others to borrow their style from.")


@app.command("add")
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A PNG, JPEG or WebP.", exists=True, dir_okay=False)],
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Uploads a picture; a brand kit may name it: brand-kit update KIT --style-reference upload:ID."""
    content_type = guess_type(file.name)[0] or "application/octet-stream"
    try:
        picture = file.open("rb")
    except OSError as error:
        raise NotUsable(f"{file} cannot be read") from error
    with picture, open_api(url, user) as api:
        upload = api.upload(picture, content_type)
    if as_json:
        print_json(upload)
        return
    print_fields(
        [
            ("id", upload["id"]),
            ("type", upload["content_type"]),
            ("pixels", _pixels(upload)),
            ("size", size(upload["file_size"])),
            ("url", upload["url"]),
            ("for a brand kit", f"--style-reference upload:{upload['id']}"),
        ]
    )


@app.command("list")
def list_all(
    limit: Annotated[int | None, typer.Option("--limit", help="How many, 1 to 100; 20 unless given.")] = None,
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Lists your uploads, newest first."""
    with open_api(url, user) as api:
        found = api.uploads(limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (upload["id"], upload["content_type"], _pixels(upload), size(upload["file_size"]), upload["created_at"])
        for upload in found["uploads"]
    ]
    print_table(("ID", "TYPE", "PIXELS", "SIZE", "CREATED"), rows)


@app.command("delete")
def delete(
    upload_id: Annotated[str, typer.Argument(metavar="UPLOAD", help="Id of the upload.")],
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Deletes an upload for good; give the brand kits that name it another style."""
    with open_api(url, user) as api:
        api.delete_upload(upload_id)
    if as_json:
        print_json({"deleted": upload_id})
    else:
        remarks().print(f"upload {upload_id} is deleted")


def _pixels(upload: Upload) -> str:
    return f"{upload['width']}×{upload['height']}"
