"""`studio`: the whole system from a terminal.

Exit codes: 0 done; 1 the API refused or a job failed; 2 the command was not understood; 3 nobody answers.
"""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from chassis.settings import SettingsError
from clients.cli import assets, brand_kits, dead_letters, doctor, generating, jobs, local, storage, uploads
from clients.cli.demo import demo
from clients.cli.failures import CommandFailed
from clients.cli.fake_provider import fake_provider
from clients.cli.output import remarks


class PlainSpoken(TyperGroup):
    """Ends a command that failed with its sentence, never with a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CommandFailed as failure:
            _complain(str(failure))
            raise typer.Exit(failure.exit_code) from failure
        except SettingsError as error:
            _complain(str(error))
            raise typer.Exit(2) from error


app = typer.Typer(
    cls=PlainSpoken,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Pictures for streamers: brand kits in, images of exactly the right size out.",
)
app.command()(local.up)
app.command()(demo)
app.command()(local.token)
app.add_typer(brand_kits.app, name="brand-kit")
app.add_typer(uploads.app, name="uploads")
app.command()(generating.generate)
app.add_typer(jobs.app, name="jobs")
app.command()(generating.watch)
app.add_typer(assets.app, name="assets")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(storage.app, name="storage")
app.command()(doctor.doctor)
app.command()(fake_provider)


def main() -> None:
    """The entry point of the `studio` command."""
    app()


def _complain(sentence: str) -> None:
    remarks().print(sentence, style="red", markup=False)
