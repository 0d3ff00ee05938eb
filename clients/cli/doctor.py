"""`studio doctor`: what is wrong here, and what to do about it."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from clients.cli.output import print_json, results
from clients.cli.session import Json

if TYPE_CHECKING:
    from clients.cli.findings import Finding


def doctor(as_json: Json = False) -> None:
    """Checks this machine and the system on it; the exit code is 1 when something is wrong."""
    # What the system is made of is imported where it is used: the other commands should start at once.
    from clients.cli.checks import examine

    findings = list(examine(os.environ))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _print(finding)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _print(finding: Finding) -> None:
    mark = "[red]problem[/]"
    if finding.ok:
        mark = "[yellow]warning[/]" if finding.todo else "[green]ok     [/]"
    console = results()
    console.print(f"{mark} ", end="")
    console.print(f"{finding.what}: {finding.found}", markup=False)
    if finding.todo:
        console.print(f"        → {finding.todo}", markup=False)
