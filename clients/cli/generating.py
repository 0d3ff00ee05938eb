"""`studio generate` and `studio watch`: asks for pictures, and follows a job to its end."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from clients.cli.api import StudioApi
from clients.cli.downloads import require_writable, save_asset
from clients.cli.failures import JobFailed
from clients.cli.following import follow
from clients.cli.output import print_json, print_table, progress_bars, remarks, size
from clients.cli.session import Json, Url, User, open_api
from clients.cli.shapes import Asset, Job


class AssetType(StrEnum):
    """What can be asked for."""

    THUMBNAIL = "thumbnail"
    OVERLAY = "overlay"
    BANNER = "banner"
    STORY_GRAPHIC = "story_graphic"
    CLIP_COVER = "clip_cover"


def generate(
    asset_type: Annotated[AssetType, typer.Argument(metavar="TYPE", help=", ".join(AssetType))],
    words: Annotated[list[str] | None, typer.Argument(help="What you want to see, in a few words.")] = None,
    brand_kit: Annotated[
        str | None, typer.Option("--brand-kit", help="Id of a kit, instead of the active one.")
    ] = None,
    count: Annotated[int | None, typer.Option("--count", help="How many variations, 1 to 4.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed gives the same picture.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Directory for the files.")] = Path("out"),
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Only queue the job.")] = False,
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Makes a picture, waits for it and downloads it."""
    fields = {
        "asset_type": asset_type.value,
        "custom_prompt": " ".join(words) if words else None,
        "brand_kit_id": brand_kit,
        "count": count,
        "seed": seed,
    }
    if not no_wait:
        require_writable(out)
    with open_api(url, user) as api:
        job = api.generate(fields)
        if no_wait:
            _print_queued(job, as_json)
            return
        job = wait_for(api, job, quiet=as_json)
        files = [save_asset(api, asset, out) for asset in job.get("assets", [])]
    _print_made(job, files, as_json)
    refuse_unless_complete(job)


def watch(
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")],
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Follows a job to its end; with --json, a line each time it changes."""
    with open_api(url, user) as api:
        if as_json:
            for job in follow(api, job_id):
                print(json.dumps(job, ensure_ascii=False), flush=True)
        else:
            job = wait_for(api, api.job(job_id), quiet=False)
            remarks().print(f"job {job_id} is {job['status']}")
    refuse_unless_complete(job)


def wait_for(api: StudioApi, job: Job, *, quiet: bool) -> Job:
    """Follows a job to its end with a progress bar; returns it as it ended."""
    with progress_bars(quiet=quiet) as bars:
        bar = bars.add_task(job["asset_type"], total=100, note=job["status"])
        for latest in follow(api, job["id"]):
            bars.update(bar, completed=latest["progress"], note=latest["status"])
    return latest


def refuse_unless_complete(job: Job) -> None:
    """Raises JobFailed with the job's own sentence."""
    if job["status"] != "completed":
        raise JobFailed(f"job {job['id']} is {job['status']}: {job.get('error_message', 'no reason is known')}")


def _print_queued(job: Job, as_json: bool) -> None:
    if as_json:
        print_json(job)
    else:
        print(job["id"])
        remarks().print(f"queued; follow it with: studio watch {job['id']}")


def _print_made(job: Job, files: list[Path], as_json: bool) -> None:
    if as_json:
        print_json({**job, "files": [str(path) for path in files]})
        return
    rows = [_row(asset, path) for asset, path in zip(job.get("assets", []), files, strict=True)]
    print_table(("TYPE", "PIXELS", "SIZE", "ASSET", "FILE"), rows)


def _row(asset: Asset, path: Path) -> tuple[object, ...]:
    pixels = f"{asset['width']}×{asset['height']}"
    return asset["asset_type"], pixels, size(asset["file_size"]), asset["id"], path
