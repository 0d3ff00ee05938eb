"""`studio dead-letters`, against a server that answers as it was told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_status.rpc_status import to_status
from typer.testing import CliRunner

from chassis import status
from clients.cli.main import app
from deploy.local.lock import DataDirLock
from deploy.local.ports import free_ports
from deploy.local.secrets import keep_secrets
from services.generation.letters import DeadLetterNotFound, NothingToRequeue
from streamerstudio.generation.v1 import dead_letter_pb2, generation_service_pb2_grpc, job_pb2
from streamerstudio.work.v1.work_pb2 import WorkItem
from tests.unit.cli.scripted_api import Studio


@dataclass
class Letters(generation_service_pb2_grpc.GenerationServiceServicer):
    """Dead letters 1 to `count`; which of them are refused, and what was requeued."""

    count: int = 3
    refused: set[int] = field(default_factory=set)
    requeued: list[int] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def ListDeadLetters(self, request: Any, context: Any) -> dead_letter_pb2.DeadLetterList:
        self._note(context)
        newest = request.before - 1 if request.HasField("before") else self.count
        page = range(newest, 0, -1)[: request.limit if request.HasField("limit") else 20]
        return dead_letter_pb2.DeadLetterList(dead_letters=[a_letter(number) for number in page], total=self.count)

    def GetDeadLetter(self, request: Any, context: Any) -> dead_letter_pb2.DeadLetterDetails:
        self._note(context)
        if request.sequence > self.count:
            context.abort_with_status(to_status(status.to_status(DeadLetterNotFound(request.sequence))))
        details = dead_letter_pb2.DeadLetterDetails(
            dead_letter=a_letter(request.sequence), headers={"Reason": "no"}, data=b"raw"
        )
        if request.sequence % 2:
            details.message.CopyFrom(Struct())
            details.message.update({"prompt": "a [bold]cat[/bold]"})
        return details

    def RequeueDeadLetter(self, request: Any, context: Any) -> job_pb2.Job:
        self._note(context)
        if request.sequence in self.refused:
            refusal = NothingToRequeue(request.sequence, "nothing in it says which job it is about")
            context.abort_with_status(to_status(status.to_status(refusal)))
        self.requeued.append(request.sequence)
        return job_pb2.Job(id=f"job-{request.sequence}", status=job_pb2.queued)

    def _note(self, context: Any) -> None:
        self.tokens.add(dict(context.invocation_metadata())["authorization"])


def a_letter(sequence: int) -> dead_letter_pb2.DeadLetter:
    return dead_letter_pb2.DeadLetter(
        sequence=sequence,
        reason="Delivered 50 times without success.",
        consumer="render",
        subject="work.render",
        deliveries=51,
        buried_at=Timestamp(seconds=1_767_225_600),
        work=WorkItem(job_id=f"of-{sequence}") if sequence % 2 else None,
    )


@pytest.fixture
def letters() -> Letters:
    return Letters()  # type: ignore[abstract]  # what is not called need not be there


@pytest.fixture
def url(letters: Letters) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(2))
    generation_service_pb2_grpc.add_GenerationServiceServicer_to_server(letters, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.fixture
def studio(url: str, tmp_path: Path) -> Studio:
    def run(*arguments: str, **environ: str) -> Any:
        known = {"SERVICE_TOKEN": "the-token", "STUDIO_PUBLIC_URL": url, "STUDIO_DATA_DIR": str(tmp_path / "data")}
        return CliRunner().invoke(app, ["dead-letters", *arguments], env={**known, **environ})

    return run


def test_a_list_shows_each_letter_on_a_line_the_newest_first(studio: Studio, letters: Letters) -> None:
    result = studio("list", "--limit", "2")

    assert result.exit_code == 0, result.output
    _, newest, older = result.stdout.splitlines()
    assert newest.split() == [
        *("3", "2026-01-01T00:00:00Z", "render", "51", "of-3"),
        *["Delivered", "50", "times", "without", "success."],
    ]
    assert older.split()[:2] == ["2", "2026-01-01T00:00:00Z"]
    assert result.stderr.strip() == "3 in all"
    assert letters.tokens == {"Bearer the-token"}


def test_a_list_goes_on_before_a_letter_and_is_json_for_scripts(studio: Studio) -> None:
    result = studio("list", "--before", "3", "--json")

    found = json.loads(result.stdout)
    assert [letter["sequence"] for letter in found["dead_letters"]] == ["2", "1"]
    assert (found["total"], found["dead_letters"][1]["work"]["job_id"]) == (3, "of-1")


def test_a_letter_is_shown_with_its_message(studio: Studio) -> None:
    result = studio("show", "1")

    assert result.exit_code == 0, result.output
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines()]
    assert ["reason", "Delivered 50 times without success."] in lines
    assert '"prompt": "a [bold]cat[/bold]"' in result.stdout


def test_a_letter_that_cannot_be_read_is_shown_as_it_came(studio: Studio) -> None:
    assert studio("show", "2").stdout.splitlines()[-1] == "cmF3"
    assert "message" not in json.loads(studio("show", "2", "--json").stdout)


def test_a_letter_that_is_not_there_ends_with_the_apis_sentence(studio: Studio) -> None:
    result = studio("show", "7")

    assert (result.exit_code, result.stderr.strip()) == (1, "dead letter 7 was not found")


def test_letters_that_are_named_are_requeued(studio: Studio, letters: Letters) -> None:
    result = studio("requeue", "1", "3")

    assert (result.exit_code, letters.requeued) == (0, [1, 3])
    assert result.stdout.splitlines() == ["1 → job job-1", "3 → job job-3"]


def test_all_letters_on_all_pages_are_requeued_the_oldest_first(studio: Studio, letters: Letters) -> None:
    letters.count = 205

    result = studio("requeue", "--all", "--json")

    assert (result.exit_code, letters.requeued) == (0, list(range(1, 206)))
    assert json.loads(result.stdout)[0]["job"]["id"] == "job-1"


def test_one_that_is_refused_does_not_keep_the_others(studio: Studio, letters: Letters) -> None:
    letters.refused = {2}

    result = studio("requeue", "--all")
    as_json = studio("requeue", "2", "--json")

    assert (result.exit_code, letters.requeued) == (1, [1, 3])
    assert "dead letter 2 cannot be requeued: nothing in it says which job it is about" in result.stderr
    assert result.stderr.splitlines()[-1] == "1 of 3 not requeued"
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)[0]["error"]["code"] == "NOTHING_TO_REQUEUE"


@pytest.mark.parametrize("arguments", [[], ["1", "--all"]])
def test_either_some_are_named_or_all_are_meant(studio: Studio, letters: Letters, arguments: list[str]) -> None:
    result = studio("requeue", *arguments)

    assert (result.exit_code, letters.requeued) == (2, [])
    assert result.stderr.strip() == "name the dead letters to requeue, or give --all"


def test_where_there_are_none_there_is_nothing_to_do(studio: Studio, letters: Letters) -> None:
    letters.count = 0

    assert (studio("list").exit_code, studio("requeue", "--all").exit_code) == (0, 0)


def test_the_token_is_made_from_the_local_secrets(studio: Studio, letters: Letters, tmp_path: Path) -> None:
    kept, another = keep_secrets(tmp_path / "data").service_jwt_secret, "another-secret-0123456789-0123456789"

    for secret, environ in ((kept, {}), (another, {"SERVICE_JWT_SECRET": another})):
        letters.tokens.clear()
        studio("list", SERVICE_TOKEN="", **environ)

        [token] = letters.tokens
        claims = jwt.decode(token.removeprefix("Bearer "), secret, ["HS256"])
        assert (claims["role"], claims["exp"] - claims["iat"]) == ("service_role", 3600)


def test_without_a_token_or_secrets_nothing_is_asked(studio: Studio, letters: Letters, tmp_path: Path) -> None:
    result = studio("list", SERVICE_TOKEN="")

    assert result.exit_code == 2
    assert "SERVICE_TOKEN" in result.stderr and str(tmp_path / "data") in result.stderr
    assert letters.tokens == set()


def test_nobody_at_the_address_is_exit_code_3(studio: Studio) -> None:
    [port] = free_ports(1)

    result = studio("list", "--url", f"http://127.0.0.1:{port}")

    assert result.exit_code == 3
    assert f"cannot reach http://127.0.0.1:{port}" in result.stderr


@pytest.mark.parametrize("address", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://[::1"])
def test_an_address_that_is_none_is_named(studio: Studio, address: str) -> None:
    result = studio("list", "--url", address)

    assert (result.exit_code, result.stderr.strip()) == (2, f"{address} is not the address of a system")


@pytest.mark.parametrize(("count", "said"), [(3, "warning dead letters: 3"), (0, "ok      dead letters: none")])
def test_doctor_warns_while_there_are_any(letters: Letters, url: str, tmp_path: Path, count: int, said: str) -> None:
    letters.count = count
    keep_secrets(tmp_path)
    names = ("PROMPT_PORT", "GENERATION_PORT", "STORAGE_PORT")
    nobody = {name: str(port) for name, port in zip(names, free_ports(3), strict=True)}
    environ = {"STUDIO_DATA_DIR": str(tmp_path), "STUDIO_PORT": url.rpartition(":")[2], **nobody}
    lock = DataDirLock(tmp_path)
    lock.acquire()

    result = CliRunner().invoke(app, ["doctor"], env=environ)
    lock.release()

    assert said in result.stdout.splitlines()
    assert ("studio dead-letters list" in result.stdout) is bool(count)
