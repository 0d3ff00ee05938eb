"""What a query may say: the fields that neither the path nor the body has, each with a value."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from google.api import annotations_pb2

from tests.contract.gateway_services import SERVICES, Stage
from tests.contract.test_gateway_refusals import assert_refused, invalid

pytestmark = pytest.mark.asyncio(loop_scope="session")


def bindings() -> Iterator[tuple[str, str]]:
    for parts in SERVICES.values():
        for descriptor, _ in parts:
            for method in descriptor.methods:
                rule = method.GetOptions().Extensions[annotations_pb2.http]
                for binding in (rule, *rule.additional_bindings):
                    if verb := binding.WhichOneof("pattern"):
                        yield verb.upper(), getattr(binding, verb)


def fields_of_paths() -> Iterator[tuple[str, str, str]]:
    for verb, template in bindings():
        for field in re.findall(r"{(\w+)", template):
            yield verb, re.sub(r"{[^}]+}", "one", template), field


@pytest.mark.parametrize(("verb", "path", "field"), list(fields_of_paths()))
async def test_a_query_cannot_name_another_thing_than_the_path(
    app: httpx.AsyncClient, stage: Stage, verb: str, path: str, field: str
) -> None:
    response = await app.request(verb, f"{path}?{field}=another")

    assert_refused(response, 400, invalid(f"{field}: this call does not take it in the query"))
    assert stage.calls == []


@pytest.mark.parametrize("spelling", ["jobId", "job%5Fid", "job%49d", "x=1&job_id"])
async def test_it_cannot_in_another_spelling_either(app: httpx.AsyncClient, stage: Stage, spelling: str) -> None:
    response = await app.get(f"/api/v1/jobs/one?{spelling}=another")

    assert response.status_code == 400
    assert stage.calls == []


@pytest.mark.parametrize(("verb", "path"), [each for each in bindings() if each[0] != "GET"])
async def test_what_changes_something_takes_no_query(
    app: httpx.AsyncClient, stage: Stage, verb: str, path: str
) -> None:
    response = await app.request(verb, f"{re.sub(r'{[^}]+}', 'one', path)}?count=4")

    assert_refused(response, 400, invalid("count: this call does not take it in the query"))
    assert stage.calls == []


async def test_a_parameter_without_a_value_is_not_overlooked(app: httpx.AsyncClient, stage: Stage) -> None:
    assert_refused(await app.get("/api/v1/jobs?status"), 400, invalid("status: has no value"))
    assert_refused(await app.get("/api/v1/jobs?limit=1&%22%3Cb%3E"), 400, invalid("a parameter: has no value"))
    assert stage.calls == []


async def test_a_query_that_means_nothing_is_not_called_a_body(app: httpx.AsyncClient, stage: Stage) -> None:
    assert_refused(await app.get("/api/v1/jobs?status.x=1"), 400, invalid("the query cannot be understood"))


async def test_a_field_of_one_path_is_a_filter_of_another(app: httpx.AsyncClient, stage: Stage) -> None:
    response = await app.get("/api/v1/assets?job_id=one&asset_type=banner&&")

    assert response.status_code == 200
    assert (stage.call.request.job_id, stage.call.request.asset_type) == ("one", "banner")


@pytest.mark.parametrize("path", ["/healthz?x", "/readyz?x", "/docs?job_id=1", "/openapi.json?v"])
async def test_what_takes_no_fields_does_not_mind_a_query(gateway: httpx.AsyncClient, stage: Stage, path: str) -> None:
    assert (await gateway.get(path)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        {"grpc-timeout": "0S"},
        {"grpc-encoding": "none-we-know"},
        {"trace-bin": "!!! no base64"},
        {"grpc-status-details-bin": "AAAA"},
    ],
)
async def test_headers_that_steer_grpc_are_for_callers_of_grpc(
    app: httpx.AsyncClient, stage: Stage, header: dict[str, str]
) -> None:
    response = await app.get("/api/v1/jobs", headers=header)

    assert response.status_code == 200
    assert not set(header) & set(stage.call.metadata)


async def test_nothing_but_pictures_is_kept_by_a_cache(app: httpx.AsyncClient, stage: Stage) -> None:
    for path in ("/api/v1/jobs", "/api/v1/nope", "/asset/x?x=1", "/readyz"):
        assert (await app.get(path)).headers["cache-control"] == "no-store"
