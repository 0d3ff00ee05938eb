"""What every contender is asked to do, and what it should be good for."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import Any

from benchmarks.connection import Connection
from benchmarks.contenders.contender import READER, Contender
from benchmarks.image_api import ImageApiProcess, Manner
from benchmarks.load import load

SUBMITTERS = 16
"""Connections that submit jobs, one each at a time."""
ASK_EVERY = 0.02
ENDED = ("completed", "failed", "partial")
MAKES_SLOWLY = 20.0
"""Seconds of a picture while submissions are measured, as image APIs take: the queue grows, and little else goes on."""
PATIENCE = 600.0


class WentWrong(Exception):
    """Something did not happen as it should: there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done in one measurement."""

    seconds: float
    """Of load by wrk."""
    idle_jobs: int
    jobs: int
    watchers: int
    crowd: int
    """Jobs at an image API that refuses who asks for too many at once."""
    crowd_takes: float
    crowd_at_once: int


QUICK = Scale(seconds=1, idle_jobs=5, jobs=40, watchers=200, crowd=40, crowd_takes=0.2, crowd_at_once=20)
FULL = Scale(seconds=10, idle_jobs=40, jobs=500, watchers=1000, crowd=1000, crowd_takes=2, crowd_at_once=50)


@dataclass(frozen=True, slots=True)
class Stage:
    """What a workload works with."""

    contender: Contender
    images: ImageApiProcess
    scale: Scale


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one measurement."""

    value: float
    """In the workload's unit."""
    done: int
    """Requests or jobs; what it cost is told for a thousand."""


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the table."""

    name: str
    says: str
    run: Callable[[Stage], Awaitable[Outcome]]
    unit: str = "/s"
    than_conventional: float | None = None
    """What its ratio to the conventional build should be at least, or at most where less is better."""
    than_limit: float | None = None

    @property
    def less_is_better(self) -> bool:
        return self.unit != "/s"


async def get_waiting(stage: Stage) -> Outcome:
    paths = [f"/api/v1/jobs/{job}" for job in stage.contender.waiting]
    return await _get(stage, paths, lambda job: job["status"] == "queued")


async def get_completed(stage: Stage) -> Outcome:
    paths = [f"/api/v1/jobs/{job}" for job in stage.contender.completed]
    return await _get(stage, paths, lambda job: job["status"] == "completed" and len(job["assets"]) == 1)


async def list_jobs(stage: Stage) -> Outcome:
    return await _get(stage, ["/api/v1/jobs?limit=20"], lambda page: len(page["jobs"]) == 20)


async def post(stage: Stage) -> Outcome:
    return await _post(stage, keyed=False)


async def post_keyed(stage: Stage) -> Outcome:
    return await _post(stage, keyed=True)


async def _get(stage: Stage, paths: list[str], is_right: Callable[[Any], bool]) -> Outcome:
    """GETs after a look at whether it is the right thing that is measured."""
    async with await stage.contender.user(READER) as app:
        for path in paths:
            if not is_right(answer := await app.get(path)):
                raise WentWrong(f"{path} answered {answer}")
    loaded = await load(stage.contender.url, stage.contender.token(READER), paths, stage.scale.seconds)
    return Outcome(loaded.rate, loaded.requests)


async def _post(stage: Stage, *, keyed: bool) -> Outcome:
    await stage.images.be(Manner(takes=MAKES_SLOWLY))
    user = _somebody()
    token, body = stage.contender.token(user), json.dumps(_order(await stage.contender.kit_of(user)))
    loaded = await load(stage.contender.url, token, ["/api/v1/generate"], stage.scale.seconds, body=body, keyed=keyed)
    return Outcome(loaded.rate, loaded.requests)


async def idle(stage: Stage) -> Outcome:
    """One job after the other, each from its submission to the event that says it is completed."""
    await stage.images.be(Manner())
    user = _somebody()
    kit, times = await stage.contender.kit_of(user), []
    async with await stage.contender.user(user) as app:
        for _ in range(stage.scale.idle_jobs):
            began = time.perf_counter()
            job = await app.post("/api/v1/generate", _order(kit))
            await _ended(stage.contender, user, job["id"])
            times.append(time.perf_counter() - began)
            await asyncio.sleep(0.1)
    return Outcome(median(times) * 1000, len(times))


async def jobs(stage: Stage) -> Outcome:
    await stage.images.be(Manner())
    return await _make(stage, stage.scale.jobs)


async def conformed_jobs(stage: Stage) -> Outcome:
    await stage.images.be(Manner(right_size=False))
    return await _make(stage, stage.scale.jobs)


async def crowd(stage: Stage) -> Outcome:
    await stage.images.be(Manner(takes=stage.scale.crowd_takes, at_once=stage.scale.crowd_at_once))
    return await _make(stage, stage.scale.crowd)


async def watchers(stage: Stage) -> Outcome:
    """From the moment a picture is done until everybody who watches its job has heard that it is completed."""
    await stage.images.be(Manner(held=True))
    user = _somebody()
    kit = await stage.contender.kit_of(user)
    async with await stage.contender.user(user) as app:
        job = await app.post("/api/v1/generate", _order(kit))
    attached, everybody = count(1), asyncio.Event()

    def heard() -> None:
        if next(attached) == stage.scale.watchers:
            everybody.set()

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
        for _ in range(stage.scale.watchers):
            tasks.create_task(_ended(stage.contender, user, job["id"], heard))
        await everybody.wait()
        began = time.perf_counter()
        await stage.images.be(Manner())
    return Outcome((time.perf_counter() - began) * 1000, stage.scale.watchers)


async def cold_start(stage: Stage) -> Outcome:
    return Outcome(stage.contender.started_in * 1000, 1)


async def _make(stage: Stage, number: int) -> Outcome:
    """Submits as fast as it may, and waits until all are completed."""
    user = _somebody()
    kit, left = await stage.contender.kit_of(user), iter(range(number))

    async def submit() -> None:
        async with await stage.contender.user(user) as app:
            for _ in left:
                await app.post("/api/v1/generate", _order(kit))

    began = time.perf_counter()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(submit() for _ in range(SUBMITTERS)))
        # To ask the contender all the time would be a load of its own.
        while True:
            if (await stage.images.counts())["made"] >= number:
                break
            await asyncio.sleep(ASK_EVERY)
        async with await stage.contender.user(user) as app:
            while await _count(app, "completed") < number:
                await asyncio.sleep(ASK_EVERY)
                if await _count(app, "failed"):
                    raise WentWrong("a job failed")
    return Outcome(number / (time.perf_counter() - began), number)


async def _count(app: Connection, status: str) -> int:
    return int((await app.get(f"/api/v1/jobs?status={status}&limit=1"))["total"])


async def _ended(contender: Contender, user: str, job_id: str, heard: Callable[[], None] = lambda: None) -> None:
    """Watches a job to its end; `heard` is told of the first event."""
    async with await contender.user(user) as app:
        event = None
        async for event in app.events(f"/api/v1/jobs/{job_id}/stream"):
            heard()
            heard = _nothing
            if event.get("status") in ENDED:
                break
    if event is None or event["status"] != "completed":
        raise WentWrong(f"a job ended as {event}")


def _nothing() -> None:
    pass


def _somebody() -> str:
    return f"user-{uuid.uuid4()}"


def _order(kit: str) -> dict[str, str]:
    return {"asset_type": "thumbnail", "brand_kit_id": kit, "custom_prompt": "Ranked finals tonight"}


GET_WAITING = Workload("get waiting", "GET /jobs/{id}, waiting", get_waiting, "/s", 4, 0.7)
GET_COMPLETED = Workload("get completed", "GET /jobs/{id}, completed, with its asset", get_completed, "/s", 1.5, 0.3)
LIST = Workload("list", "GET /jobs, 20 of 10,000", list_jobs, "/s", 4, 0.4)
POST = Workload("post", "POST /generate", post, "/s", 3, 0.3)
POST_KEYED = Workload("post keyed", "POST /generate with Idempotency-Key", post_keyed, "/s", 3, 0.3)
IDLE = Workload("idle", "one job, the system idle, 0 ms provider", idle, "ms", 1 / 20, 3)
JOBS = Workload("jobs", "jobs, 0 ms provider, 300 kB of the right size", jobs, "/s", 2, 0.5)
CONFORMED = Workload("conformed", "jobs, 0 ms provider, 300 kB of another size", conformed_jobs, "/s", 2, 0.5)
CROWD = Workload("crowd", "jobs, slow provider that says 429", crowd, "/s")
WATCHERS = Workload("watchers", "from a picture to all its watchers", watchers, "ms")
COLD_START = Workload("cold start", "start until ready", cold_start, "ms")

READS = (GET_WAITING, GET_COMPLETED, LIST)
MAKES = (IDLE, JOBS, CONFORMED)
WRITES = (POST, POST_KEYED)
"""Last of all: after them thousands of jobs wait."""
ALL = (*READS, *WRITES, *MAKES, WATCHERS, CROWD, COLD_START)
