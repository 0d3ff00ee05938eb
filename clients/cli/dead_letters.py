"""`studio dead-letters`: messages that no stage could do anything with, for those who run the system."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from clients.cli.failures import ApiError, CommandFailed, NotUsable
from clients.cli.operator_api import OperatorApi
from clients.cli.output import print_fields, print_json, print_table, remarks
from clients.cli.session import Json, Url, open_operator_api
from clients.cli.shapes import DeadLetter

MOST = 100
"""Letters on one page."""

app = typer.Typer(
    no_args_is_help=True, help="What could not be processed; for those who run the system, with a service's token."
)


@app.command("list")
def list_recent(
    limit: Annotated[int | None, typer.Option("--limit", help="How many, 1 to 100; 20 unless given.")] = None,
    before: Annotated[int | None, typer.Option("--before", metavar="ID", help="Only older ones than this.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Lists dead letters, newest first."""
    with open_operator_api(url) as api:
        found = api.dead_letters(limit=limit, before=before)
    if as_json:
        print_json(found)
        return
    print_table(("ID", "PUT ASIDE", "BY", "TRIES", "JOB", "REASON"), [_row(each) for each in found["dead_letters"]])
    remarks().print(f"{found['total']} in all")


@app.command("show")
def show(
    sequence: Annotated[int, typer.Argument(metavar="ID", help="Which one, as the list shows it.")],
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Shows a dead letter: its story, and the message itself."""
    with open_operator_api(url) as api:
        details = api.dead_letter(sequence)
    if as_json:
        print_json(details)
        return
    letter = details["dead_letter"]
    fields = {**letter, **letter.get("work", {}), "work": ""}
    print_fields([(name.replace("_", " "), value) for name, value in fields.items() if value != ""])
    message = details.get("message")
    print(details["data"] if message is None else json.dumps(message, ensure_ascii=False, indent=2))


@app.command("requeue")
def requeue(
    sequences: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Which ones.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Tries again what dead letters were about: a new job for what was not made, and the letter is gone."""
    if bool(sequences) is everything:
        raise NotUsable("name the dead letters to requeue, or give --all")
    with open_operator_api(url) as api:
        outcomes = [_requeued(api, sequence) for sequence in sequences or _all(api)]
    if as_json:
        print_json(outcomes)
    else:
        for outcome in outcomes:
            _print(outcome)
    refused = sum("error" in outcome for outcome in outcomes)
    if refused:
        raise CommandFailed(f"{refused} of {len(outcomes)} not requeued")


def _all(api: OperatorApi) -> list[int]:
    """As of now, the oldest first."""
    found: list[int] = []
    while page := api.dead_letters(limit=MOST, before=found[-1] if found else None)["dead_letters"]:
        found.extend(int(letter["sequence"]) for letter in page)
    return found[::-1]


def _requeued(api: OperatorApi, sequence: int) -> dict[str, Any]:
    try:
        return {"sequence": sequence, "job": api.requeue(sequence)}
    except ApiError as error:
        return {"sequence": sequence, "error": {"code": error.reason, "message": str(error)}}


def _print(outcome: dict[str, Any]) -> None:
    if "error" in outcome:
        remarks().print(outcome["error"]["message"], style="red", markup=False)
    else:
        print(f"{outcome['sequence']} → job {outcome['job']['id']}")


def _row(letter: DeadLetter) -> tuple[object, ...]:
    job = letter.get("work", {}).get("job_id", "")
    return letter["sequence"], letter["buried_at"], letter["consumer"], letter["deliveries"], job, letter["reason"]
