"""Contenders by name, each started alone, with the PostgreSQL it needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.contenders.contender import Contender, Stock
from benchmarks.contenders.conventional.running import MAX_JOBS, POLL_DELAY, conventional
from benchmarks.contenders.echo import echo
from benchmarks.contenders.ours import ours
from benchmarks.measuring import newcomers
from tests.postgres import running_postgres

OURS, OURS_ON_POSTGRES = "ours", "ours, PostgreSQL"
CONVENTIONAL, TUNED = "conventional", "conventional, tuned"
ECHO = "echo"
POLLS_OFTEN = 0.02
"""Seconds; what the poll delay is lowered to in the tuned row: arq looks fifty times a second."""
# The tests' server is one that may forget; this one may not.
DURABLE = (
    "fsync=on", "full_page_writes=on", "synchronous_commit=on", "shared_buffers=256MB", "max_connections=200",
)  # fmt: skip
SETTINGS = {
    OURS: "SQLite in WAL mode, synchronous=FULL; NATS with sync_interval always; renders and assets fsynced, and their"
    " directories; protovalidate, tokens checked by Envoy and by each service, ownership, the whole error model",
    OURS_ON_POSTGRES: "the same on PostgreSQL with fsync, full_page_writes and synchronous_commit on",
    CONVENTIONAL: "one uvicorn (uvloop, httptools, no access log), one arq worker (max_jobs 10, poll_delay 0.5 s),"
    " SQLAlchemy on asyncpg with a pool of 10 and 10 more; the same PostgreSQL; Redis appendonly, appendfsync everysec"
    " (so its queue may lose a second); pydantic, PyJWT on each request, ownership, one error shape; assets fsynced,"
    " and their directory; no outbox, no record of paid calls",
    TUNED: f"the same with poll_delay {POLLS_OFTEN} s",
    ECHO: "the gateway's Envoy with all its filters before a grpc.aio server on uvloop that knows its answers",
}


@asynccontextmanager
async def opened(
    name: str, directory: Path, image_api: str, *, stock: Stock | None = None, at_once: int = 0, replicas: int = 1
) -> AsyncIterator[Contender]:
    """One that answers; `at_once` is how many pictures it may have made at once, if not as many as by itself."""
    async with AsyncExitStack() as stack:
        if name == ECHO:
            yield await stack.enter_async_context(echo(name, directory))
            return
        if name == OURS:
            yield await stack.enter_async_context(ours(name, directory, image_api, stock=stock, **_more(at_once)))
            return
        with newcomers() as started:
            server = stack.enter_context(running_postgres(*DURABLE))
        url = server.create_database()
        if name == OURS_ON_POSTGRES:
            more = {**_more(at_once), "STUDIO_REPLICAS": str(replicas)}
            one = ours(name, directory, image_api, database_url=url, stock=stock, **more)
        else:
            poll_delay = POLLS_OFTEN if name == TUNED else POLL_DELAY
            one = conventional(
                name, directory, image_api, database_url=url, poll_delay=poll_delay, max_jobs=at_once or MAX_JOBS,
                stock=stock,
            )  # fmt: skip
        contender = await stack.enter_async_context(one)
        yield replace(contender, pids=[*contender.pids, *started()])


def _more(at_once: int) -> dict[str, str]:
    window = max(64, at_once)
    return {"RENDER_CONCURRENCY": str(at_once), "RENDER_WINDOW": str(window)} if at_once else {}
