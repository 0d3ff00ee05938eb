"""What cannot get better by waiting is refused at once, in a sentence that says what to mend and no secret."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis.database import DatabaseRefused, migrate, open_database
from chassis.errors import Unavailable
from tests.postgres import WITH_PASSWORD, PostgresServer, shared_postgres

CREATE = "CREATE TABLE notes(id TEXT PRIMARY KEY);"
PASSWORD = "hunter2"


@dataclass(frozen=True, slots=True)
class Roles:
    """Users of one database that may do less and less."""

    server: PostgresServer
    database: str
    name: str

    def url(self, role: str, password: str = "") -> str:
        return self.server.url_of(self.database, f"{self.name}_{role}{password and ':'}{password}")


@pytest.fixture(scope="module")
def roles() -> Iterator[Roles]:
    """`owner` may do everything, `writer` what services do, `guest` nothing; `locked` may not even enter."""
    server = shared_postgres()
    url, name = server.create_database(), f"role_{uuid.uuid4().hex}"
    database = url.rpartition("/")[2]
    server.run_sql(
        f"DO $$ BEGIN CREATE ROLE {WITH_PASSWORD}; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        f"CREATE ROLE {name}_owner LOGIN IN ROLE {WITH_PASSWORD} PASSWORD '{PASSWORD}'",
        f"CREATE ROLE {name}_writer LOGIN",
        f"CREATE ROLE {name}_guest LOGIN",
        f"CREATE ROLE {name}_locked LOGIN",
        f"ALTER DATABASE {database} OWNER TO {name}_owner",
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database} TO {name}_writer, {name}_guest",
    )
    yield Roles(server, database, name)
    server.run_sql(
        f"DROP DATABASE {database} WITH (FORCE)",
        *(f"DROP ROLE {name}_{role}" for role in ("owner", "writer", "guest", "locked")),
    )


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "001_create_notes.sql").write_text(CREATE)
    return tmp_path


async def refusal(url: str, schema: str = "any") -> str:
    with pytest.raises(DatabaseRefused) as caught:
        await open_database(url, schema=schema)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is not None
    return str(caught.value)


async def test_a_wrong_password_is_refused(roles: Roles) -> None:
    database = await open_database(roles.url("owner", PASSWORD), schema="right")
    await database.close()

    assert await refusal(roles.url("owner", f"{PASSWORD}3")) == (
        "DATABASE_URL: has a user or a password that the server does not accept"
    )
    assert "does not accept" in await refusal(roles.url("owner"))


async def test_a_user_nobody_knows_is_refused(roles: Roles) -> None:
    assert "does not accept" in await refusal(roles.server.url_of("postgres", f"nobody:{PASSWORD}"))


async def test_a_database_that_is_not_there_is_refused(roles: Roles) -> None:
    assert "names a database that the server does not have" in await refusal(roles.server.url_of("missing"))


async def test_a_user_who_may_not_enter_is_refused(roles: Roles) -> None:
    assert "lacks a right" in await refusal(roles.url("locked"))


async def test_a_user_who_may_not_make_the_schema_is_refused_while_it_is_missing(roles: Roles) -> None:
    assert "lacks a right" in await refusal(roles.url("guest"), "missing")


@pytest.mark.parametrize("parameter", ["pgbouncer=true", "shared_buffers=1"])
async def test_a_parameter_that_the_server_does_not_take_is_refused(roles: Roles, parameter: str) -> None:
    assert "has a parameter that the server" in await refusal(f"{roles.server.url}?{parameter}")


async def test_parameters_that_contradict_each_other_are_refused(roles: Roles) -> None:
    assert "makes no sense" in await refusal(f"{roles.server.url}?sslmode=prefer&sslnegotiation=direct")


async def test_tls_that_the_server_does_not_have_is_refused(roles: Roles) -> None:
    assert "asks for TLS by its sslmode, and the server has none" in await refusal(
        f"{roles.server.url}?sslmode=require"
    )


async def test_who_may_only_read_and_write_starts_where_nothing_is_missing(roles: Roles, files: Path) -> None:
    owner = await open_database(roles.url("owner", PASSWORD), schema="shared")
    await migrate(owner, files)
    await owner.execute(f"GRANT USAGE ON SCHEMA shared TO {roles.name}_writer")
    await owner.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shared TO {roles.name}_writer")

    writer = await open_database(roles.url("writer"), schema="shared")

    assert await migrate(writer, files) == []
    assert await writer.execute("INSERT INTO notes(id) VALUES ('a')") == 1
    (files / "002_add_text.sql").write_text("ALTER TABLE notes ADD COLUMN text TEXT")
    with pytest.raises(DatabaseRefused, match="lacks a right"):
        await migrate(writer, files)
    await owner.close()
    await writer.close()


@pytest.mark.parametrize("parameters", ["", "?host=/nowhere"], ids=["port", "socket"])
async def test_a_server_that_is_not_there_yet_is_worth_waiting_for(unused_tcp_port: int, parameters: str) -> None:
    host = "" if parameters else f"127.0.0.1:{unused_tcp_port}"

    with pytest.raises(Unavailable):
        await open_database(f"postgresql://postgres:{PASSWORD}@{host}/postgres{parameters}", schema="any")
