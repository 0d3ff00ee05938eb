"""`sslmode` and `sslrootcert` of DATABASE_URL, against real TLS with a certificate made for the purpose."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.database import DatabaseRefused, open_database
from tests.postgres import running_postgres
from tests.postgres_tls import Certificates, binaries_with_tls, make_certificates, tls_front

NOT_VOUCHED_FOR = "a server whose certificate is not from sslrootcert, or for another host"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Of a root that vouches for nobody here."""
    return make_certificates(tmp_path_factory.mktemp("strangers"))


@pytest.fixture
async def port(postgres_url: str, certificates: Certificates) -> AsyncIterator[int]:
    """Where PostgreSQL speaks TLS, and nothing else."""
    async with tls_front(postgres_url, certificates) as port:
        yield port


async def answers(port: int, parameters: str, host: str = "localhost") -> bool:
    database = await open_database(f"postgresql://postgres@{host}:{port}/postgres?{parameters}", schema="tls")
    try:
        return bool(await database.fetch("SELECT 1"))
    finally:
        await database.close()


@pytest.mark.parametrize("mode", ["allow", "prefer", "require"])
async def test_tls_is_spoken_without_asking_who_is_there(port: int, mode: str) -> None:
    assert await answers(port, f"sslmode={mode}", "127.0.0.1")


async def test_a_server_that_is_vouched_for_is_talked_to(port: int, certificates: Certificates) -> None:
    assert await answers(port, f"sslmode=verify-ca&sslrootcert={certificates.root}", "127.0.0.1")
    assert await answers(port, f"sslmode=verify-full&sslrootcert={certificates.root}")


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_server_that_nobody_vouches_for_is_refused(port: int, strangers: Certificates, mode: str) -> None:
    with pytest.raises(DatabaseRefused, match=NOT_VOUCHED_FOR):
        await answers(port, f"sslmode={mode}&sslrootcert={strangers.root}")


async def test_a_certificate_for_another_host_is_refused(port: int, certificates: Certificates) -> None:
    with pytest.raises(DatabaseRefused, match=NOT_VOUCHED_FOR):
        await answers(port, f"sslmode=verify-full&sslrootcert={certificates.root}", "127.0.0.1")


@pytest.mark.skipif(binaries_with_tls() is None, reason="no PostgreSQL that speaks TLS is installed")
async def test_a_server_that_ends_tls_itself_does_as_one_behind_a_pooler(
    certificates: Certificates, strangers: Certificates, tmp_path: Path
) -> None:
    with running_postgres(binaries=binaries_with_tls()) as server:
        for name in ("certificate", "key"):
            file = server.directory / "data" / f"server.{'crt' if name == 'certificate' else 'key'}"
            shutil.copy(getattr(certificates, name), file)
            server.own(file)
        server.run_sql("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
        url = f"postgresql://postgres@localhost:{server.port}/postgres"
        database = await open_database(f"{url}?sslmode=verify-full&sslrootcert={certificates.root}", schema="tls")
        row = await database.fetch_one("SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl")
        await database.close()

        assert row is not None and row["version"].startswith("TLSv1.")
        with pytest.raises(DatabaseRefused, match=NOT_VOUCHED_FOR):
            await open_database(f"{url}?sslmode=verify-full&sslrootcert={strangers.root}", schema="tls")
