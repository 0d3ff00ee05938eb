"""GenerationService on the wire: every call, and every way it refuses one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from services.generation.servicer import METHODS, SERVICE_NAME
from streamerstudio.generation.v1 import generation_service_pb2 as calls
from streamerstudio.generation.v1 import job_pb2
from streamerstudio.type.v1 import asset_type_pb2
from tests.builders import bearer, service_token, user_token
from tests.generation_service import Studio, an_order, running_generation, running_studio, settings
from tests.nats import NatsServer
from tests.prompt_service import NOBODYS, as_user, refusal

AS_SERVICE = bearer(service_token())
INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    """Without NATS: jobs are accepted, and wait."""
    async with running_studio(tmp_path) as studio:
        yield studio


def test_every_method_is_in_the_policy_table_and_nothing_else() -> None:
    service = calls.DESCRIPTOR.services_by_name["GenerationService"]

    assert set(METHODS) == {f"/{SERVICE_NAME}/{method.name}" for method in service.methods}


async def test_a_job_is_accepted_while_nats_is_away(studio: Studio) -> None:
    job = await studio.a_job_of("ada", count=2, custom_prompt="Finals")

    assert (job.status, job.progress, job.count, job.user_id) == (job_pb2.queued, 0, 2, "ada")
    assert job.created_at.nanos == 0 and not job.HasField("completed_at") and not job.HasField("error_message")


async def test_a_new_job_asks_for_201(studio: Studio) -> None:
    assert studio.prompt is not None
    kit = await studio.prompt.a_kit_of("ada")

    call = studio.jobs.CreateJob(an_order(brand_kit_id=kit.id.upper()), metadata=as_user("ada"))

    assert dict(await call.initial_metadata()).get("x-http-code") == "201"
    assert (await call).brand_kit_id == kit.id


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({"asset_type": asset_type_pb2.asset_type_unspecified}, "asset_type"),
        ({"asset_type": 99}, "asset_type"),
        ({"brand_kit_id": "not-a-uuid"}, "brand_kit_id"),
        ({"brand_kit_id": ""}, "brand_kit_id"),
        ({"custom_prompt": "😀" * 501}, "custom_prompt"),
        ({"custom_prompt": "a\0b"}, "custom_prompt"),
        ({"count": 0}, "count"),
        ({"count": 5}, "count"),
        ({"seed": -1}, "seed"),
        ({"template_version": "../v1"}, "template_version"),
    ],
)
async def test_a_bad_order_names_its_field_and_writes_nothing(
    studio: Studio, order: dict[str, Any], field: str
) -> None:
    assert studio.prompt is not None
    kit = await studio.prompt.a_kit_of("ada")

    refused = await refusal(
        studio.jobs.CreateJob(an_order(**{"brand_kit_id": kit.id, **order}), metadata=as_user("ada"))
    )

    assert ((refused.code, refused.reason), refused.fields) == (INVALID, [field])
    assert field in refused.message
    assert await studio.jobs_of("ada") == []


async def test_a_kit_must_exist_and_be_the_callers(studio: Studio) -> None:
    assert studio.prompt is not None
    kit = await studio.prompt.a_kit_of("grace")

    missing = await refusal(studio.jobs.CreateJob(an_order(brand_kit_id=NOBODYS), metadata=as_user("ada")))
    foreign = await refusal(studio.jobs.CreateJob(an_order(brand_kit_id=kit.id), metadata=as_user("ada")))
    none = await refusal(studio.jobs.CreateJob(an_order(), metadata=as_user("ada")))

    assert (missing.code, missing.reason) == (grpc.StatusCode.NOT_FOUND, "BRAND_KIT_NOT_FOUND")
    assert missing.metadata == {"brand_kit_id": NOBODYS}
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER")
    assert ((none.code, none.reason), none.fields) == (INVALID, ["brand_kit_id"])
    assert await studio.jobs_of("ada") == []


async def test_when_the_prompt_service_is_away_a_named_kit_is_taken_on_trust(tmp_path: Path) -> None:
    async with running_generation(settings(tmp_path)) as jobs:
        accepted = await jobs.CreateJob(an_order(brand_kit_id=NOBODYS), metadata=as_user("ada"))
        refused = await refusal(jobs.CreateJob(an_order(), metadata=as_user("ada")))

    assert accepted.brand_kit_id == NOBODYS
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")


async def test_somebody_elses_job_and_a_missing_one_are_refused_by_every_call(studio: Studio) -> None:
    job = await studio.a_job_of("ada")

    for job_id, as_whom, expected in (
        (job.id, "grace", (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER")),
        (NOBODYS, "ada", (grpc.StatusCode.NOT_FOUND, "JOB_NOT_FOUND")),
    ):
        for call in (
            studio.jobs.GetJob(calls.GetJobRequest(job_id=job_id), metadata=as_user(as_whom)),
            _drained(studio.jobs.GetJobAssets(calls.GetJobAssetsRequest(job_id=job_id), metadata=as_user(as_whom))),
            _drained(studio.jobs.WatchJob(calls.WatchJobRequest(job_id=job_id), metadata=as_user(as_whom))),
        ):
            refused = await refusal(call)
            assert (refused.code, refused.reason) == expected
            assert refused.metadata == {"job_id": job_id}


@pytest.mark.parametrize(
    ("page", "field"),
    [({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"offset": -1}, "offset"), ({"status": 0}, "status")],
)
async def test_a_bad_page_names_its_field(studio: Studio, page: dict[str, int], field: str) -> None:
    refused = await refusal(studio.jobs.ListJobs(calls.ListJobsRequest(**page), metadata=as_user("ada")))  # type: ignore[arg-type]

    assert ((refused.code, refused.reason), refused.fields) == (INVALID, [field])


async def test_a_page_lists_only_the_callers_jobs(studio: Studio) -> None:
    mine = [await studio.a_job_of("ada") for _ in range(3)]
    await studio.a_job_of("grace")

    page = await studio.jobs.ListJobs(calls.ListJobsRequest(limit=2), metadata=as_user("ada"))

    assert [job.id for job in page.jobs] == [mine[2].id, mine[1].id]
    assert (page.total, page.limit, page.offset) == (3, 2, 0)


async def test_only_services_move_a_job_and_only_where_its_state_leads(studio: Studio) -> None:
    job = await studio.a_job_of("ada")
    finish = calls.UpdateJobStatusRequest(job_id=job.id, status=job_pb2.completed, progress=100)
    start = calls.UpdateJobStatusRequest(job_id=job.id, status=job_pb2.processing, progress=5)

    as_a_user = await refusal(studio.jobs.UpdateJobStatus(finish, metadata=as_user("ada")))
    too_soon = await refusal(studio.jobs.UpdateJobStatus(finish, metadata=AS_SERVICE))
    started = await studio.jobs.UpdateJobStatus(start, metadata=AS_SERVICE)
    twice = await refusal(studio.jobs.UpdateJobStatus(start, metadata=AS_SERVICE))
    done = await studio.jobs.UpdateJobStatus(finish, metadata=AS_SERVICE)

    assert (as_a_user.code, as_a_user.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SERVICE_ONLY")
    for refused, current, target in ((too_soon, "queued", "completed"), (twice, "processing", "processing")):
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INVALID_STATE_TRANSITION")
        assert refused.metadata == {"job_id": job.id, "from": current, "to": target}
    assert (started.progress, done.progress) == (5, 100)


@pytest.mark.parametrize("token", ["", "not a token", user_token(lifetime=-60), user_token(secret="x" * 40)])
async def test_nobody_gets_in_without_a_good_token(studio: Studio, token: str) -> None:
    refused = await refusal(studio.jobs.ListJobs(calls.ListJobsRequest(), metadata=bearer(token)))

    assert refused.code is grpc.StatusCode.UNAUTHENTICATED
    assert refused.reason in ("UNAUTHENTICATED", "TOKEN_EXPIRED")


async def test_a_stream_refuses_what_is_no_event_id(studio: Studio) -> None:
    job = await studio.a_job_of("ada")
    request = calls.WatchJobRequest(job_id=job.id)

    by_field = await refusal(
        _drained(studio.jobs.WatchJob(calls.WatchJobRequest(job_id=job.id, after="x"), metadata=as_user("ada")))
    )
    by_header = await refusal(
        _drained(studio.jobs.WatchJob(request, metadata=(*as_user("ada"), ("last-event-id", "x"))))
    )

    assert (by_field.fields, by_header.fields) == (["after"], ["last-event-id"])


async def test_the_three_services_make_a_picture(tmp_path: Path, nats: NatsServer) -> None:
    async with running_studio(tmp_path, nats.url) as studio:
        job = await studio.a_job_of("ada", count=2, seed=5)

        done = await studio.ended("ada", job.id)
        request = calls.GetJobAssetsRequest(job_id=job.id)
        assets = [asset async for asset in studio.jobs.GetJobAssets(request, metadata=as_user("ada"))]

    assert done.status == job_pb2.completed
    assert [asset.id for asset in assets] == [asset.id for asset in done.assets]
    assert {(asset.width, asset.height) for asset in assets} == {(1200, 480)}


async def test_a_kit_that_was_deleted_before_its_turn_fails_the_job_with_a_sentence(
    tmp_path: Path, nats: NatsServer
) -> None:
    async with running_studio(tmp_path, nats.url, PROMPT_ADDRESS="127.0.0.1:1") as studio:
        job = await studio.a_job_of("ada", brand_kit_id=NOBODYS)

        failed = await studio.ended("ada", job.id)

    assert failed.status == job_pb2.failed and failed.progress < 100
    assert (failed.error.stage, failed.error.retryable) == ("prompt", False)
    assert "brand kit" in failed.error_message


async def test_a_template_that_does_not_exist_fails_the_job(tmp_path: Path, nats: NatsServer) -> None:
    async with running_studio(tmp_path, nats.url) as studio:
        job = await studio.a_job_of("ada", template_version="v9.9")

        failed = await studio.ended("ada", job.id)

    assert failed.status == job_pb2.failed
    assert failed.error.stage == "prompt" and failed.error_message


async def _drained(stream: Any) -> list[Any]:
    return [message async for message in stream]
