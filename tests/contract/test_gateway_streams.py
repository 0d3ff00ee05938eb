"""A job's events, as an app reads them with a fetch stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from google.rpc import code_pb2

from streamerstudio.generation.v1 import job_pb2
from tests.contract.gateway_services import Context, Stage, error, refuses, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

JobEventType = job_pb2.JobEventType
PATH = "/api/v1/jobs/j-1/stream"


async def test_each_event_is_one_data_line(app: httpx.AsyncClient, stage: Stage) -> None:
    stage.answers["WatchJob"] = says(
        job_pb2.JobEvent(
            event_id="4", type=JobEventType.progress, status=job_pb2.processing, progress=0, message="a\nb"
        ),
        job_pb2.JobEvent(event_id="9", type=JobEventType.heartbeat),
    )

    response = await app.get(PATH, params={"after": "3"}, headers={"Last-Event-ID": "2"})

    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["cache-control"] == "no-store"
    assert response.text == (
        'data: {"event_id":"4","type":"progress","status":"processing","progress":0,"message":"a\\nb"}\n\n'
        'data: {"event_id":"9","type":"heartbeat"}\n\n'
    )
    assert (stage.call.request.job_id, stage.call.request.after) == ("j-1", "3")
    assert stage.call.metadata["last-event-id"] == "2"


async def test_an_event_arrives_before_the_next_one_happens(app: httpx.AsyncClient, stage: Stage) -> None:
    go_on = asyncio.Event()

    async def events(request: Any, context: Context) -> AsyncIterator[job_pb2.JobEvent]:
        yield job_pb2.JobEvent(event_id="1", type=JobEventType.progress)
        await go_on.wait()
        yield job_pb2.JobEvent(event_id="2", type=JobEventType.completed)

    stage.answers["WatchJob"] = events

    async with app.stream("GET", PATH) as response:
        parts = response.aiter_text()
        first = await anext(parts)
        go_on.set()
        rest = "".join([part async for part in parts])

    assert first == 'data: {"event_id":"1","type":"progress"}\n\n'
    assert rest == 'data: {"event_id":"2","type":"completed"}\n\n'


async def test_an_app_that_goes_away_ends_the_services_stream(app: httpx.AsyncClient, stage: Stage) -> None:
    ended = asyncio.Event()

    async def events(request: Any, context: Context) -> AsyncIterator[job_pb2.JobEvent]:
        try:
            yield job_pb2.JobEvent(event_id="1", type=JobEventType.progress)
            await asyncio.Event().wait()
        finally:
            ended.set()

    stage.answers["WatchJob"] = events

    async with app.stream("GET", PATH) as response:
        await anext(response.aiter_text())

    await asyncio.wait_for(ended.wait(), 5)


async def test_a_failure_in_the_middle_just_ends_the_stream(app: httpx.AsyncClient, stage: Stage) -> None:
    broken = error(code_pb2.UNAVAILABLE, "gone", "UNAVAILABLE")
    stage.answers["WatchJob"] = refuses(broken, job_pb2.JobEvent(event_id="1", type=JobEventType.progress))

    response = await app.get(PATH)

    assert response.status_code == 200
    assert response.text == 'data: {"event_id":"1","type":"progress"}\n\n'
