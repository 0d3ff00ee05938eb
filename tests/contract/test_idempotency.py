"""Idempotency-Key on CreateJob: the same request, sent again, makes nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from streamerstudio.generation.v1.job_pb2 import Job
from tests.generation_service import Studio, an_order, running_studio
from tests.nats import NatsServer
from tests.prompt_service import NOBODYS, as_user, refusal


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with running_studio(tmp_path) as studio:
        yield studio


def with_key(user_id: str, key: str) -> tuple[tuple[str, str], ...]:
    return (*as_user(user_id), ("idempotency-key", key))


async def test_fifty_at_once_make_one_job_and_hear_the_same(studio: Studio) -> None:
    assert studio.prompt is not None
    order = an_order(brand_kit_id=(await studio.prompt.a_kit_of("ada")).id)

    answers: list[Job] = await asyncio.gather(
        *(studio.jobs.CreateJob(order, metadata=with_key("ada", "tap")) for _ in range(50))
    )

    assert len({answer.SerializeToString() for answer in answers}) == 1
    assert len(await studio.jobs_of("ada")) == 1


async def test_a_replay_is_the_first_answer_also_when_the_job_has_ended(tmp_path: Path, nats: NatsServer) -> None:
    async with running_studio(tmp_path, nats.url) as studio:
        assert studio.prompt is not None
        order = an_order(brand_kit_id=(await studio.prompt.a_kit_of("ada")).id)
        first = await studio.jobs.CreateJob(order, metadata=with_key("ada", "tap"))
        await studio.ended("ada", first.id)

        assert await studio.jobs.CreateJob(order, metadata=with_key("ada", "tap")) == first


async def test_a_key_stands_for_one_request_of_one_user(studio: Studio) -> None:
    assert studio.prompt is not None
    mine, theirs = await studio.prompt.a_kit_of("ada"), await studio.prompt.a_kit_of("grace")
    first = await studio.jobs.CreateJob(an_order(brand_kit_id=mine.id), metadata=with_key("ada", "tap"))

    other_body = await refusal(
        studio.jobs.CreateJob(an_order(brand_kit_id=mine.id, seed=1), metadata=with_key("ada", "tap"))
    )
    other_user = await studio.jobs.CreateJob(an_order(brand_kit_id=theirs.id), metadata=with_key("grace", "tap"))

    assert (other_body.code, other_body.reason) == (grpc.StatusCode.ALREADY_EXISTS, "IDEMPOTENCY_KEY_REUSED")
    assert other_user.id != first.id
    assert len(await studio.jobs_of("ada")) == 1


async def test_a_refused_request_leaves_its_key_free(studio: Studio) -> None:
    assert studio.prompt is not None
    kit = await studio.prompt.a_kit_of("ada")
    await refusal(studio.jobs.CreateJob(an_order(brand_kit_id=NOBODYS), metadata=with_key("ada", "tap")))

    accepted = await studio.jobs.CreateJob(an_order(brand_kit_id=kit.id), metadata=with_key("ada", "tap"))

    assert accepted.brand_kit_id == kit.id


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_a_key_must_be_a_key(studio: Studio, key: str) -> None:
    refused = await refusal(studio.jobs.CreateJob(an_order(brand_kit_id=NOBODYS), metadata=with_key("ada", key)))

    assert (refused.reason, refused.fields) == ("INVALID_REQUEST", ["idempotency-key"])
