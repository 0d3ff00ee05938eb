"""`studio demo`: a system of its own, one picture of each type, and away again."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TaskID

from clients.cli.api import StudioApi
from clients.cli.downloads import require_writable, save_asset
from clients.cli.failures import CommandFailed
from clients.cli.following import follow
from clients.cli.generating import refuse_unless_complete
from clients.cli.output import print_json, print_table, progress_bars, remarks, size
from clients.cli.session import Json
from clients.cli.shapes import Asset

READY_WITHIN = 60.0
BRAND_KIT = {
    "name": "Neon Arena",
    "primary_colors": ["#FF0055", "#1A0B2E"],
    "accent_colors": ["#00E5FF"],
    "fonts": {"headline": "Montserrat", "body": "Inter"},
    "tone": "competitive",
    "style_reference": "arcade lights, speed, glass",
}
WISHES = {
    "thumbnail": ("Ranked finals tonight", (1280, 720)),
    "overlay": ("Live now", (1920, 1080)),
    "banner": ("Late night speedruns", (1200, 480)),
    "story_graphic": ("New clips every friday", (1080, 1920)),
    "clip_cover": ("One against five", (1080, 1080)),
}
"""What is asked for of each type, and the pixels it must have."""


@dataclass(frozen=True, slots=True)
class Made:
    """One picture of the demo, measured on its file."""

    asset_type: str
    width: int
    height: int
    file_size: int
    seconds: float
    """From the request to the file."""
    path: Path


def demo(
    out: Annotated[Path, typer.Option("--out", help="Directory for the pictures.")] = Path("out"),
    as_json: Json = False,
) -> None:
    """Starts a system of its own, makes one picture of each type, and stops it."""
    from deploy.local.background import BackgroundSystem
    from deploy.local.errors import CannotStart
    from deploy.local.lock import holder
    from deploy.local.readiness import NotReady
    from deploy.local.secrets import user_token
    from deploy.local.settings import read_local_settings
    from deploy.local.system import LocalSystem

    require_writable(out)
    settings = read_local_settings(demo_environment(os.environ))
    if holder(settings.data_dir) is None:
        # What the demo before made would only pile up.
        shutil.rmtree(settings.data_dir, ignore_errors=True)
    tell = remarks().print
    tell("starting a system of its own …")
    try:
        with BackgroundSystem(LocalSystem(settings)) as system:
            system.wait_ready(READY_WITHIN)
            tell(f"ready {system.url}")
            assert system.settings.jwt_secret is not None
            token = user_token(system.settings.jwt_secret.get_secret_value(), f"demo-{uuid.uuid4().hex[:8]}")
            with StudioApi(system.url, token) as api:
                made = make_one_of_each(api, out, quiet=as_json)
            tell("stopping it …")
    except (CannotStart, NotReady) as error:
        raise CommandFailed(str(error)) from error
    _print(made, as_json)


def demo_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in which nothing of the demo touches another system, the network or money."""
    own = Path(environ.get("STUDIO_DATA_DIR") or ".data") / "demo"
    free = dict.fromkeys(("STUDIO_PORT", "PROMPT_PORT", "GENERATION_PORT", "STORAGE_PORT"), "0")
    unset = dict.fromkeys(("DATABASE_URL", "NATS_URL", "STUDIO_PUBLIC_URL", "JWT_JWKS_URL"), "")
    plain = {"STUDIO_ENV": "local", "STUDIO_PROVIDER": "sketch", "STUDIO_STORAGE": "local"}
    return {**environ, **free, **unset, **plain, "STUDIO_DATA_DIR": str(own)}


def make_one_of_each(api: StudioApi, out: Path, *, quiet: bool) -> list[Made]:
    """Makes one picture of each type, all at once, with a progress bar each."""
    kit = api.create_brand_kit(BRAND_KIT)
    with progress_bars(quiet=quiet) as bars, ThreadPoolExecutor(len(WISHES)) as threads:
        tasks = {asset_type: bars.add_task(asset_type, total=100, note="") for asset_type in WISHES}
        return list(threads.map(lambda item: _make(api, kit["id"], item[0], out, bars, item[1]), tasks.items()))


def _make(api: StudioApi, kit_id: str, asset_type: str, out: Path, bars: Progress, bar: TaskID) -> Made:
    words, wanted = WISHES[asset_type]
    asked = time.monotonic()
    job = api.generate({"asset_type": asset_type, "brand_kit_id": kit_id, "custom_prompt": words, "seed": 7})
    latest = job
    for latest in follow(api, job["id"]):
        bars.update(bar, completed=latest["progress"], note=latest["status"])
    refuse_unless_complete(latest)
    [asset] = latest.get("assets", [])
    path = save_asset(api, asset, out, name=asset_type)
    return _measured(asset, path, wanted, time.monotonic() - asked)


def _measured(asset: Asset, path: Path, wanted: tuple[int, int], seconds: float) -> Made:
    """Believes the file only.

    Raises:
        CommandFailed: it has not the pixels its type must have.
    """
    from PIL import Image

    with Image.open(path) as image:
        image.load()
        found = image.size
    if found != wanted:
        raise CommandFailed(f"{path} has {found[0]}×{found[1]} pixels, and a {asset['asset_type']} must have {wanted}")
    return Made(asset["asset_type"], *found, path.stat().st_size, round(seconds, 2), path)


def _print(made: list[Made], as_json: bool) -> None:
    if as_json:
        print_json([{name: _plain(getattr(one, name)) for name in Made.__slots__} for one in made])
        return
    rows = [
        (one.asset_type, f"{one.width}×{one.height}", size(one.file_size), f"{one.seconds:.2f}", one.path)
        for one in made
    ]
    print_table(("TYPE", "PIXELS", "SIZE", "SECONDS", "FILE"), rows)


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Path) else value
