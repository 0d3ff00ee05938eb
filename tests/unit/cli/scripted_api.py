"""A small HTTP server that answers as it was told to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typer.testing import Result

Studio = Callable[..., Result]

PIXELS = b"the bytes of a picture"
ASSET = {
    "id": "a1b2c3d4-0000",
    "job_id": "j1",
    "asset_type": "banner",
    "url": "",
    "width": 1200,
    "height": 480,
    "file_size": len(PIXELS),
    "is_public": False,
    "created_at": "2026-01-01T10:00:00Z",
}


def job(status: str, progress: int, **more: Any) -> dict[str, Any]:
    fixed = {"id": "j1", "asset_type": "banner", "count": 1, "created_at": "2026-01-01T10:00:00Z"}
    return {**fixed, "status": status, "progress": progress, **more}


@dataclass(frozen=True)
class Answer:
    """What one call is answered."""

    body: Any = None
    """JSON; bytes go as they are."""
    status: int = 200
    content_type: str = "application/json"

    def encoded(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """One call as it came."""

    call: str
    """Method and path, with the query."""
    headers: Mapping[str, str]
    body: Any
    """JSON, read; other bytes as they came; None: there were none."""


@dataclass
class ScriptedApi:
    """Answers by method and path; a list is used up to its last one, which stays."""

    url: str
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def script(self, call: str, *answers: Answer) -> None:
        self.answers[call] = list(answers)

    def answer(self, call: str) -> Answer:
        answers = self.answers.get(call)
        if not answers:
            return refusal(404, "ROUTE_NOT_FOUND", f"{call} is not scripted")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def bodies(self, call: str) -> list[Any]:
        return [asked.body for asked in self.asked if asked.call == call]


def refusal(status: int, reason: str, message: str) -> Answer:
    return Answer({"code": 5, "message": message, "details": [], "error": {"code": reason, "message": message}}, status)


def events(*events: Mapping[str, Any]) -> Answer:
    """A stream as the gateway sends it."""
    lines = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    return Answer(lines, content_type="text/event-stream")


@contextmanager
def scripted_api() -> Iterator[ScriptedApi]:
    class Handler(BaseHTTPRequestHandler):
        def read_data(self) -> bytes | None:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0))) or None
            data = b""
            while length := int(self.rfile.readline(), 16):
                data += self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()
            return data

        def handle_one_call(self) -> None:
            data = self.read_data()
            is_json = data is not None and self.headers.get("content-type") == "application/json"
            body = json.loads(data or b"") if is_json else data
            call = f"{self.command} {self.path}"
            api.asked.append(Asked(call, {name.lower(): value for name, value in self.headers.items()}, body))
            answer = api.answer(call)
            self.send_response(answer.status)
            self.send_header("content-type", answer.content_type)
            self.send_header("content-length", str(len(answer.encoded())))
            self.end_headers()
            self.wfile.write(answer.encoded())

        do_GET = do_POST = do_PUT = do_DELETE = handle_one_call

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing: what was asked is in `asked`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = ScriptedApi(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield api
        finally:
            server.shutdown()
            thread.join()
