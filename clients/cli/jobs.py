"""`studio jobs`: what was asked for, and what became of it."""

from __future__ import annotations

from typing import Annotated

import typer

from clients.cli.output import print_fields, print_json, print_table
from clients.cli.session import Json, Url, User, open_api

app = typer.Typer(help="What you asked for.")


@app.callback(invoke_without_command=True)
def list_recent(
    context: typer.Context,
    status: Annotated[
        str | None, typer.Option("--status", help="queued, processing, completed, failed or partial.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", help="How many, 1 to 100; 20 unless given.")] = None,
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Lists your jobs, newest first."""
    if context.invoked_subcommand is not None:
        return
    with open_api(url, user) as api:
        found = api.jobs(status=status, limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            job["id"],
            job["asset_type"],
            job["status"],
            f"{job['progress']} %",
            job["created_at"],
            job.get("error_message"),
        )
        for job in found["jobs"]
    ]
    print_table(("ID", "TYPE", "STATUS", "DONE", "CREATED", "ERROR"), rows)


@app.command("show")
def show(
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="Id of the job.")],
    url: Url = None,
    user: User = None,
    as_json: Json = False,
) -> None:
    """Shows a job and its pictures."""
    with open_api(url, user) as api:
        job = api.job(job_id)
    if as_json:
        print_json(job)
        return
    known = [(name.replace("_", " "), value) for name, value in job.items() if isinstance(value, str | int)]
    print_fields([*known, *(("asset", f"{asset['id']} {asset['url']}") for asset in job.get("assets", []))])
