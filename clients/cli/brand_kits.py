"""`studio brand-kit`: a streamer's colours, fonts and tone."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from clients.cli.output import print_fields, print_json, print_table, remarks, swatch
from clients.cli.session import Json, Url, User, open_api
from clients.cli.shapes import BrandKit

app = typer.Typer(no_args_is_help=True, help="Your colours, fonts and tone.")

KitId = Annotated[str, typer.Argument(metavar="KIT", help="Id of the brand kit.")]
Primary = Annotated[list[str] | None, typer.Option("--primary", help="A main colour, #RRGGBB; up to 5.")]
Accent = Annotated[list[str] | None, typer.Option("--accent", help="An accent colour, #RRGGBB; up to 3.")]
Tone = Annotated[str | None, typer.Option("--tone", help="competitive, casual, educational, comedic or professional.")]
Style = Annotated[
    str | None,
    typer.Option("--style", "--style-reference", help="What pictures should remind of; or upload:UPLOAD, and words."),
]
Logo = Annotated[str | None, typer.Option("--logo", help="https address of a logo.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    primary: Annotated[list[str], typer.Option("--primary", help="A main colour, #RRGGBB; up to 5.")],
    accent: Accent = None,
    headline: Annotated[str, typer.Option("--headline", help="Font of headlines.")] = "Montserrat",
    body: Annotated[str, typer.Option("--body", help="Font of everything else.")] = "Inter",
    tone: Tone = None,
    style: Style = None,
    logo: Logo = None,
    activate: Annotated[bool, typer.Option("--activate", help="Use it from now on.")] = False,
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Creates a brand kit."""
    fields = {
        "name": name,
        "primary_colors": primary,
        "accent_colors": accent,
        "fonts": {"headline": headline, "body": body},
        "tone": tone,
        "style_reference": style,
        "logo_url": logo,
    }
    with open_api(url, user) as api:
        kit = api.create_brand_kit(fields)
        if activate:
            kit = api.activate_brand_kit(kit["id"])
    _print(kit, as_json)


@app.command("list")
def list_all(url: Url = None, user: User = None, as_json: Json = False) -> None:
    """Lists your brand kits, newest first."""
    with open_api(url, user) as api:
        found = api.brand_kits()
    if as_json:
        print_json(found)
        return
    rows = [
        (kit["id"], kit["name"], kit["is_active"], swatch(kit["primary_colors"]), kit["tone"])
        for kit in found["brand_kits"]
    ]
    print_table(("ID", "NAME", "ACTIVE", "COLOURS", "TONE"), rows)


@app.command("show")
def show(kit_id: KitId, url: Url = None, user: User = None, as_json: Json = False) -> None:
    """Shows a brand kit."""
    with open_api(url, user) as api:
        kit = api.brand_kit(kit_id)
    _print(kit, as_json)


@app.command("update")
def update(
    kit_id: KitId,
    name: Annotated[str | None, typer.Option("--name", help="What to call it.")] = None,
    primary: Primary = None,
    accent: Accent = None,
    no_accent: Annotated[bool, typer.Option("--no-accent", help="Take all accent colours out.")] = False,
    headline: Annotated[str | None, typer.Option("--headline", help="Font of headlines.")] = None,
    body: Annotated[str | None, typer.Option("--body", help="Font of everything else.")] = None,
    tone: Tone = None,
    style: Style = None,
    logo: Annotated[str | None, typer.Option("--logo", help='https address of a logo; "" takes it out.')] = None,
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Changes what is given of a brand kit, and leaves the rest."""
    fonts = {name: font for name, font in (("headline", headline), ("body", body)) if font is not None}
    fields: dict[str, Any] = {
        "name": name,
        "primary_colors": primary or None,
        "accent_colors": [] if no_accent else accent or None,
        "fonts": fonts or None,
        "tone": tone,
        "style_reference": style,
        "logo_url": logo,
    }
    with open_api(url, user) as api:
        kit = api.update_brand_kit(kit_id, fields)
    _print(kit, as_json)


@app.command("activate")
def activate(kit_id: KitId, url: Url = None, user: User = None, as_json: Json = False) -> None:
    """Makes a brand kit the one that is used when none is named."""
    with open_api(url, user) as api:
        kit = api.activate_brand_kit(kit_id)
    _print(kit, as_json)


@app.command("delete")
def delete(kit_id: KitId, url: Url = None, user: User = None, as_json: Json = False) -> None:
    """Deletes a brand kit; pictures made with it stay."""
    with open_api(url, user) as api:
        api.delete_brand_kit(kit_id)
    if as_json:
        print_json({"deleted": kit_id})
    else:
        remarks().print(f"brand kit {kit_id} is deleted")


def _print(kit: BrandKit, as_json: bool) -> None:
    if as_json:
        print_json(kit)
        return
    print_fields(
        [
            ("id", kit["id"]),
            ("name", kit["name"]),
            ("active", kit["is_active"]),
            ("primary colours", swatch(kit["primary_colors"])),
            ("accent colours", swatch(kit["accent_colors"])),
            ("fonts", f"{kit['fonts']['headline']} / {kit['fonts']['body']}"),
            ("tone", kit["tone"]),
            ("style", kit["style_reference"]),
            ("logo", kit.get("logo_url")),
        ]
    )
