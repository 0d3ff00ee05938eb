"""`studio up` and `studio token`: the system on this machine."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from chassis.settings import read_settings
from clients.cli.failures import CommandFailed
from clients.cli.output import print_json
from clients.cli.session import DEFAULT_USER, CliSettings, Json, make_token


def up(
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the whole output of every part.")] = False,
) -> None:
    """Runs the whole system on this machine until Ctrl-C."""
    from deploy.local.errors import CannotStart
    from deploy.local.foreground import run_in_foreground
    from deploy.local.settings import read_local_settings
    from deploy.local.system import LocalSystem

    settings = read_local_settings(os.environ)
    if verbose:
        settings = settings.model_copy(update={"verbose": True})
    try:
        asyncio.run(run_in_foreground(LocalSystem(settings), _announce))
    except CannotStart as error:
        raise CommandFailed(str(error)) from error


def token(
    user: Annotated[str, typer.Option("--user", help="Whose: the `sub` of the token.")] = DEFAULT_USER,
    ttl: Annotated[int, typer.Option("--ttl", min=1, help="Seconds until it expires.")] = 24 * 3600,
    tier: Annotated[str, typer.Option("--tier", help="The plan it claims.")] = "free",
    as_json: Json = False,
) -> None:
    """Prints an access token for the system on this machine."""
    signed = make_token(read_settings(CliSettings, os.environ), user, ttl, tier)
    if as_json:
        print_json({"token": signed, "user": user, "expires_in": ttl})
    else:
        print(signed)


def _announce(line: str) -> None:
    print(line, flush=True)
