"""Limits on the wire: how a submission beyond one is refused, what is told of it, and what it does not touch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import grpc
import pytest

from streamerstudio.generation.v1 import generation_service_pb2 as calls
from streamerstudio.generation.v1.job_pb2 import Job
from tests.generation_service import Studio, an_order, running_studio
from tests.prompt_service import Refusal, as_user, refusal

EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
QUOTA = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")


def three_a_minute(data_dir: Path) -> AbstractAsyncContextManager[Studio]:
    """Without NATS: jobs are accepted, and wait."""
    return running_studio(data_dir, SUBMITS_PER_MINUTE="3")


def two_at_once(data_dir: Path, **more: str) -> AbstractAsyncContextManager[Studio]:
    return running_studio(data_dir, MAX_ACTIVE_JOBS="2", **more)


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Studio]:
    async with three_a_minute(tmp_path) as studio:
        yield studio


async def submit(studio: Studio, user_id: str, *key: str) -> tuple[Job, list[str]]:
    """A job that was accepted, and what is left of the user's submissions."""
    return await told(studio.jobs.CreateJob(await an_order_of(studio, user_id), metadata=metadata(user_id, *key)))


async def refused(studio: Studio, user_id: str, *key: str) -> Refusal:
    return await refusal(studio.jobs.CreateJob(await an_order_of(studio, user_id), metadata=metadata(user_id, *key)))


async def an_order_of(studio: Studio, user_id: str) -> calls.CreateJobRequest:
    assert studio.prompt is not None
    kits = await studio.prompt.kits_of(user_id)
    return an_order(brand_kit_id=(kits[0] if kits else await studio.prompt.a_kit_of(user_id)).id)


async def told(call: Any) -> tuple[Job, list[str]]:
    headers = dict(await call.initial_metadata())
    return await call, [headers[name] for name in QUOTA if name in headers]


def metadata(user_id: str, *key: str) -> tuple[tuple[str, str], ...]:
    return (*as_user(user_id), *(("idempotency-key", each) for each in key))


def cancel(studio: Studio, job: Job) -> Any:
    return studio.jobs.CancelJob(calls.CancelJobRequest(job_id=job.id), metadata=as_user(job.user_id))


def retry(studio: Studio, job: Job) -> Any:
    return studio.jobs.RetryJob(calls.RetryJobRequest(job_id=job.id), metadata=as_user(job.user_id))


async def test_a_submission_too_many_in_a_minute_is_told_when_to_come_back(limited: Studio) -> None:
    for _ in range(3):
        await submit(limited, "ada")

    no = await refused(limited, "ada")

    wait = no.headers["retry-after"]
    assert (no.code, no.reason) == (EXHAUSTED, "RATE_LIMIT")
    assert no.metadata == {"limit": "3", "retry_after": wait}
    assert "3" in no.message and wait in no.message
    assert 1 <= int(wait) <= 60 and no.retry_after == int(wait)
    assert [no.headers[name] for name in QUOTA] == ["3", "0", wait]
    assert len(await limited.jobs_of("ada")) == 3


async def test_each_answer_says_what_is_left_and_when_there_will_be_more(limited: Studio) -> None:
    answers = [(await submit(limited, "ada"))[1] for _ in range(3)]

    assert [(limit, left) for limit, left, _ in answers] == [("3", "2"), ("3", "1"), ("3", "0")]
    resets = [int(reset) for _, _, reset in answers]
    assert resets == sorted(resets, reverse=True) and 1 <= resets[-1] <= resets[0] <= 60


async def test_too_many_jobs_under_way_are_told_how_many_may_be(tmp_path: Path) -> None:
    async with two_at_once(tmp_path, SUBMITS_PER_MINUTE="9") as studio:
        first, _ = await submit(studio, "ada")
        await submit(studio, "ada")

        no = await refused(studio, "ada")
        await cancel(studio, first)
        await submit(studio, "ada")

    assert (no.code, no.reason, no.metadata) == (EXHAUSTED, "GENERATION_LIMIT_EXCEEDED", {"limit": "2"})
    assert no.retry_after == int(no.headers["retry-after"]) == 5
    assert [no.headers[name] for name in QUOTA[:2]] == ["9", "7"]


async def test_without_a_limit_nothing_is_said_of_one(tmp_path: Path) -> None:
    async with two_at_once(tmp_path) as studio:
        _, told_of_no_submits = await submit(studio, "ada")
        await submit(studio, "ada")
        no = await refused(studio, "ada")

    assert told_of_no_submits == [] and not set(QUOTA) & set(no.headers)


async def test_of_thirty_at_once_as_many_are_accepted_as_may_be(limited: Studio) -> None:
    order = await an_order_of(limited, "ada")

    outcomes = await asyncio.gather(
        *(limited.jobs.CreateJob(order, metadata=as_user("ada")) for _ in range(30)), return_exceptions=True
    )

    assert sum(isinstance(outcome, Job) for outcome in outcomes) == len(await limited.jobs_of("ada")) == 3


async def test_a_retry_is_a_submission_too(tmp_path: Path) -> None:
    async with two_at_once(tmp_path, SUBMITS_PER_MINUTE="4") as studio:
        failed, _ = await submit(studio, "ada")
        await cancel(studio, failed)

        again, left = await told(retry(studio, failed))
        await submit(studio, "ada")
        too_many = await refusal(retry(studio, failed))
        await cancel(studio, again)
        await told(retry(studio, failed))
        too_often = await refusal(retry(studio, failed))
        jobs = await studio.jobs_of("ada")

    assert left[:2] == ["4", "2"]
    assert (too_many.code, too_many.reason) == (EXHAUSTED, "GENERATION_LIMIT_EXCEEDED")
    assert (too_often.code, too_often.reason) == (EXHAUSTED, "RATE_LIMIT")
    assert len(jobs) == 4


async def test_a_limit_outlives_the_process(tmp_path: Path) -> None:
    async with three_a_minute(tmp_path) as studio:
        for _ in range(3):
            await submit(studio, "ada")

    async with three_a_minute(tmp_path) as studio:
        assert (await refused(studio, "ada")).reason == "RATE_LIMIT"


async def test_one_users_limit_is_not_anothers(limited: Studio) -> None:
    for _ in range(3):
        await submit(limited, "ada")
    await refused(limited, "ada")

    _, left = await submit(limited, "grace")

    assert left[:2] == ["3", "2"]


async def test_who_may_not_submit_may_still_look(tmp_path: Path) -> None:
    async with two_at_once(tmp_path, SUBMITS_PER_MINUTE="2") as studio:
        jobs = [(await submit(studio, "ada"))[0] for _ in range(2)]
        await refused(studio, "ada")

        for _ in range(100):
            await studio.jobs.GetJob(calls.GetJobRequest(job_id=jobs[0].id), metadata=as_user("ada"))
        usage = await studio.jobs.GetUsage(calls.GetUsageRequest(), metadata=as_user("ada"))
        await cancel(studio, jobs[0])
        after = await studio.jobs.GetUsage(calls.GetUsageRequest(), metadata=as_user("ada"))

    assert (usage.generations_used, usage.generations_limit, usage.generations_remaining) == (2, -1, -1)
    assert (usage.active_jobs, after.active_jobs) == (2, 1)


async def test_a_request_sent_again_is_answered_also_when_the_limit_is_reached(limited: Studio) -> None:
    first, _ = await submit(limited, "ada", "tap")
    replayed = [await submit(limited, "ada", "tap") for _ in range(5)]
    await submit(limited, "ada")
    await submit(limited, "ada")
    await refused(limited, "ada")

    again, left = await submit(limited, "ada", "tap")

    assert again == first and {job.id for job, _ in replayed} == {first.id}
    assert [left[:2] for _, left in replayed] == [["3", "2"]] * 5
    assert left[:2] == ["3", "0"]


async def test_fifty_at_once_under_one_key_take_the_last_place_and_are_all_answered(limited: Studio) -> None:
    await submit(limited, "ada")
    await submit(limited, "ada")
    order = await an_order_of(limited, "ada")

    answers = await asyncio.gather(*(limited.jobs.CreateJob(order, metadata=metadata("ada", "tap")) for _ in range(50)))

    assert len({answer.id for answer in answers}) == 1
    assert len(await limited.jobs_of("ada")) == 3


async def test_a_key_that_was_refused_makes_a_job_later(tmp_path: Path) -> None:
    async with two_at_once(tmp_path) as studio:
        first, _ = await submit(studio, "ada")
        await submit(studio, "ada")
        await refused(studio, "ada", "tap")

        await cancel(studio, first)
        made, _ = await submit(studio, "ada", "tap")
        again, _ = await submit(studio, "ada", "tap")

        assert again == made and made.id in {job.id for job in await studio.jobs_of("ada")}
