"""Logs: one JSON object a line, each with the request id and the job it speaks of."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

_context: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)


def configure_logging(service: str, level: str = "INFO") -> None:
    """Sends every log line of this process to standard error as JSON."""
    handler = logging.StreamHandler()
    handler.addFilter(_with_context)
    handler.setFormatter(
        JsonFormatter(
            "%(message)s",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"service": service},
            reserved_attrs=_RESERVED,
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # They log each request, with an address that may carry a signature and headers that may carry a token.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # It tells, each time with a traceback, what whoever uses the pool hears as well.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)


_RESERVED = (*(name for name in logging.makeLogRecord({}).__dict__ if name not in ("levelname", "name")), "asctime")


def _with_context(record: logging.LogRecord) -> bool:
    for name, value in (_context.get() or {}).items():
        if not hasattr(record, name):
            setattr(record, name, value)
    return True


def current_request_id() -> str:
    """The id of the request that is being worked for: the caller's own, or one made here; empty when there is none."""
    return (_context.get() or {}).get("request_id", "")


def bind_log_context(**fields: str) -> None:
    """Adds fields to every line logged from here on in this task's context."""
    _context.set({**(_context.get() or {}), **fields})


@contextmanager
def log_context(**fields: str) -> Iterator[None]:
    """Adds fields to every line logged inside, also by tasks started there."""
    token = _context.set({**(_context.get() or {}), **fields})
    try:
        yield
    finally:
        _context.reset(token)
