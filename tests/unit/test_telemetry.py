"""Logs: one JSON object a line, that says when, where and about what."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

SCRIPT = """
import logging, sys
from chassis.telemetry import bind_log_context, configure_logging, log_context
configure_logging("prompt", "DEBUG")
log = logging.getLogger("somewhere")
"""


def logged(*lines: str) -> list[dict[str, Any]]:
    """What a process of its own writes to standard error: logging is configured once and for the whole of it."""
    script = SCRIPT + "\n".join(lines)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_line_says_when_where_and_what() -> None:
    before = datetime.now(UTC)

    (line,) = logged('log.info("hello %s", "ada", extra={"method": "/x.Y/Z"})')

    assert {name: line[name] for name in ("level", "service", "logger", "message", "method")} == {
        "level": "INFO", "service": "prompt", "logger": "somewhere", "message": "hello ada", "method": "/x.Y/Z",
    }  # fmt: skip
    moment = datetime.fromisoformat(line["time"])
    assert moment.utcoffset() == timedelta(0)
    assert before <= moment <= datetime.now(UTC)
    assert set(line) == {"time", "level", "service", "logger", "message", "method"}


def test_a_line_says_of_which_call_and_job_it_speaks() -> None:
    lines = logged(
        'with log_context(request_id="4f0c", job_id="77aa"):',
        '    log.info("inside")',
        '    with log_context(job_id="88bb"):',
        '        log.info("deeper")',
        'log.info("outside")',
        'bind_log_context(request_id="5d1d")',
        'log.info("bound")',
    )

    assert [(line.get("request_id"), line.get("job_id")) for line in lines] == [
        ("4f0c", "77aa"), ("4f0c", "88bb"), (None, None), ("5d1d", None),
    ]  # fmt: skip


def test_what_a_line_says_itself_comes_first() -> None:
    (line,) = logged('with log_context(job_id="77aa"):', '    log.info("x", extra={"job_id": "its own"})')

    assert line["job_id"] == "its own"


def test_an_exception_is_on_its_line() -> None:
    lines = logged(
        "try:", "    {}['lost']", "except KeyError:", '    log.exception("failed")',
        'log.error("later", exc_info=ValueError("with no traceback"))',
    )  # fmt: skip

    assert [line["message"] for line in lines] == ["failed", "later"]
    assert lines[0]["exc_info"].startswith("Traceback (most recent call last):")
    assert lines[0]["exc_info"].endswith("KeyError: 'lost'")
    assert "with no traceback" in lines[1]["exc_info"]


def test_whatever_is_logged_is_one_line_of_json() -> None:
    lines = logged(
        'log.info("two\\nlines")',
        'log.info("odd", extra={"bytes": b"x", "set": {1}, "error": ValueError("x"), "object": object})',
        'logging.getLogger("library").warning("%d%%", 5)',
    )

    assert [line["message"] for line in lines] == ["two\nlines", "odd", "5%"]


def test_the_addresses_and_headers_of_our_own_requests_are_not_logged() -> None:
    lines = logged(
        "import httpx",
        'transport = httpx.MockTransport(lambda request: httpx.Response(200))',
        'httpx.Client(transport=transport).get("https://x/sign?token=hunter2", headers={"authorization": "hunter2"})',
        'for name in ("httpx", "httpcore.http11", "httpcore.connection"):',
        '    logging.getLogger(name).info("GET https://x/sign?token=hunter2")',
        'log.debug("the only line")',
    )  # fmt: skip

    assert [line["message"] for line in lines] == ["the only line"]


def test_tasks_started_inside_speak_of_the_same_call() -> None:
    lines = logged(
        "import asyncio",
        "async def work(name):",
        "    if name: bind_log_context(request_id=name)",
        '    log.info("x")',
        "async def main():",
        '    with log_context(request_id="4f0c"):',
        '        await asyncio.gather(*(asyncio.create_task(work(name)) for name in ("", "5d1d", "")))',
        'logging.getLogger("asyncio").setLevel("INFO")',
        "asyncio.run(main())",
    )

    assert [line["request_id"] for line in lines] == ["4f0c", "5d1d", "4f0c"]
