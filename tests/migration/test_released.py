"""What an earlier release has left is all there for this one, and this one's tables are good for that release.

`released/` has the migrations of the earlier release, and rows in every state it knew, as it wrote them.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from chassis.database import Database, migrate, open_database
from chassis.database.migrations import split_statements
from streamerstudio.generation.v1 import generation_service_pb2
from streamerstudio.generation.v1.job_pb2 import JobStatus
from streamerstudio.storage.v1 import storage_service_pb2
from tests.databases import url_of
from tests.generation_service import Studio, running_studio
from tests.nats import NatsServer
from tests.prompt_service import as_user

RELEASED = Path(__file__).parent / "released"
SERVICES = Path(__file__).parents[2] / "services"
NAMES = ("prompt", "generation", "storage")
TABLES = {
    "prompt": {"brand_kit_owners": "user_id", "brand_kits": "id"},
    "generation": {
        "jobs": "id", "items": "job_id, item", "attempts": "job_id, item, n", "gates": "model", "dispatch": "one",
        "discards": "asset_id", "idempotency_keys": "user_id, key",
    },
    "storage": {"assets": "id"},
}  # fmt: skip
WAITING, ON_ITS_WAY, COMPLETED = (f"20000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
Rows = dict[str, list[dict[str, object]]]


async def write_rows(database: Database, service: str) -> None:
    async with database.transaction() as transaction:
        for statement in split_statements((RELEASED / f"{service}.sql").read_text()):
            await transaction.execute(statement)


async def read_rows(database: Database, service: str) -> Rows:
    return {
        table: [dict(row) for row in await database.fetch(f"SELECT * FROM {table} ORDER BY {key}")]
        for table, key in TABLES[service].items()
    }


def assert_all_there(before: Rows, after: Rows) -> None:
    """What was in each column is there still; there may be more columns."""
    for table, rows in before.items():
        assert [{name: row[name] for name in old} for old, row in zip(rows, after[table], strict=True)] == rows, table


@pytest.mark.parametrize("service", NAMES)
def test_no_file_that_was_released_was_edited(service: str) -> None:
    for released in (RELEASED / service).glob("*.sql"):
        assert (SERVICES / service / "migrations" / released.name).read_bytes() == released.read_bytes()


@pytest.mark.parametrize("service", NAMES)
async def test_every_row_survives_the_way_up(database: Database, service: str) -> None:
    await migrate(database, RELEASED / service)
    await write_rows(database, service)
    before = await read_rows(database, service)

    applied = await migrate(database, SERVICES / service / "migrations")

    files = sorted(file.stem for file in (SERVICES / service / "migrations").glob("*.sql"))
    assert applied == files[len(list((RELEASED / service).glob("*.sql"))) :]
    assert_all_there(before, await read_rows(database, service))


@pytest.mark.parametrize("service", NAMES)
async def test_what_the_earlier_release_writes_this_ones_tables_take(database: Database, service: str) -> None:
    await migrate(database, SERVICES / service / "migrations")

    await write_rows(database, service)

    assert all((await read_rows(database, service)).values())


@pytest.mark.parametrize("service", NAMES)
async def test_the_earlier_release_starts_again_on_this_ones_tables(database: Database, service: str) -> None:
    await migrate(database, SERVICES / service / "migrations")

    assert await migrate(database, RELEASED / service) == []


@pytest.mark.usefixtures("each_database")
async def test_the_services_go_on_where_the_earlier_release_stopped(tmp_path: Path, nats: NatsServer) -> None:
    async with AsyncExitStack() as stack:
        for service in NAMES:
            # The schema had the service's own name then.
            database = await open_database(url_of(service, tmp_path), schema=service)
            stack.push_async_callback(database.close)
            await migrate(database, RELEASED / service)
            await write_rows(database, service)

    async with running_studio(tmp_path, nats.url) as studio:
        made = [await studio.ended("ada", job_id) for job_id in (WAITING, ON_ITS_WAY)]
        listed = await studio.jobs_of("ada")
        kits = await prompt_kits(studio)
        asset = await completed_asset(studio)

    assert {job.status for job in made} == {JobStatus.completed}
    assert len(listed) == 4 and {job.status for job in listed} == {JobStatus.completed, JobStatus.failed}
    assert kits == {"Neon Arena", "Calm"}
    assert asset == ("30000000-0000-4000-8000-000000000003", 71)


async def prompt_kits(studio: Studio) -> set[str]:
    assert studio.prompt is not None
    return {kit.name for kit in await studio.prompt.kits_of("ada")}


async def completed_asset(studio: Studio) -> tuple[str, int]:
    """Of the job that was completed before; its id and its score."""
    request = generation_service_pb2.GetJobRequest(job_id=COMPLETED)
    [shown] = (await studio.jobs.GetJob(request, metadata=as_user("ada"))).assets
    assert studio.storage is not None
    wanted = storage_service_pb2.GetAssetRequest(asset_id=shown.id)
    found = await studio.storage.stub.GetAsset(wanted, metadata=as_user("ada"))
    return found.id, found.viral_score
