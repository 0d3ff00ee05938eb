"""`studio storage`: where pictures are kept, for those who run the system."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from clients.cli.output import print_json, print_table, remarks, size
from clients.cli.session import Json, Url, open_operator_api
from clients.cli.shapes import StorageProblem, StorageProgress

app = typer.Typer(
    no_args_is_help=True, help="Where pictures are kept; for those who run the system, with a service's token."
)

WHAT_TO_DO = {
    "orphan": "orphans belong to nothing; --repair deletes those that are a day old and have a name of ours",
    "lost": "what is lost has to come from a backup; its asset or upload can only be deleted",
    "wrong_size": "what has a wrong size has to come from a backup; it is shown as it is",
    "wrong_hash": "what has a wrong hash has to come from a backup; it is shown as it is",
}


@app.command("check")
def check(
    repair: Annotated[bool, typer.Option("--repair", help="Delete bytes that belong to nothing, a day old.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Compare sizes, and read no bytes.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Holds all assets, uploads and kept bytes against each other; the exit code is 1 when something is wrong."""
    problems: list[StorageProblem] = []
    seen = StorageProgress(blobs=0, assets=0, uploads=0)
    with open_operator_api(url) as api, remarks().status("looking", spinner="line") as status:
        for news in api.check_storage(repair=repair, quick=quick):
            problems += [news["problem"]] if "problem" in news else []
            seen = news.get("progress", seen)
            status.update(f"looked at {_sum(seen, problems)}")
    if as_json:
        print_json({**seen, "problems": problems})
    else:
        _print(seen, problems)
    if not all(problem["repaired"] for problem in problems):
        raise typer.Exit(1)


def _print(seen: StorageProgress, problems: Sequence[StorageProblem]) -> None:
    if problems:
        print_table(("PROBLEM", "SIZE", "OF", "KEY", "REPAIRED"), map(_row, problems))
    for kind in sorted({problem["kind"] for problem in problems if not problem["repaired"]}):
        remarks().print(WHAT_TO_DO[kind])
    remarks().print(_sum(seen, problems))


def _row(problem: StorageProblem) -> tuple[object, ...]:
    there = size(int(problem["size"])) if "size" in problem else None
    of = f"asset {problem['asset_id']}" if "asset_id" in problem else None
    of = f"upload {problem['upload_id']}" if "upload_id" in problem else of
    return problem["kind"].replace("_", " "), there, of, problem["key"], problem["repaired"]


def _sum(seen: StorageProgress, problems: Sequence[StorageProblem]) -> str:
    return f"{seen['blobs']} blobs, {seen['assets']} assets, {seen['uploads']} uploads, {len(problems)} problems"
