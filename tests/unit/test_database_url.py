"""What may stand in DATABASE_URL, and when others may listen to what is said to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.database_url import checked, is_exposed


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////var/lib/studio/studio.db",
        "postgresql://db/studio",
        "postgres://studio:p%40ss@db:5432/studio?sslmode=require",
        "postgresql://postgres.abcdefgh:secret@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
        "postgresql://studio@[::1]:5432/studio",
        "postgresql://studio@one:5432,two:5433/studio?target_session_attrs=read-write",
        "postgresql:///studio?host=/var/run/postgresql",
        "postgresql://",
    ],
)
def test_what_can_be_right_is_left_as_it_is(url: str) -> None:
    assert checked(url) == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://studio:hunter2@db/studio", "must begin with"),
        ("hunter2", "must begin with"),
        ("sqlite:hunter2.db", "three slashes"),
        ("sqlite://hunter2.db", "three slashes"),
        ("postgresql://studio:hunter2@home@db/studio", "percent-encoded"),
        ("postgresql://studio:hunter2/studio", "percent-encoded"),
        ("postgresql://studio:hunter2#1@db/studio", "percent-encoded"),
        ("postgresql://studio:pass@db:hunter2/studio", "percent-encoded"),
        ("postgresql://studio:pass@[hunter2/studio", "cannot be read"),
        ("postgresql://db/studio?hunter2", "cannot be read"),
        ("postgresql://db/studio?sslmode=hunter2", "its sslmode must be one of disable, allow, prefer, require"),
        ("postgresql://db/studio?sslmode=verify-full&sslrootcert=/hunter2.crt", "its sslrootcert is no file"),
    ],
)
def test_what_cannot_be_right_is_refused_in_words_that_hold_nothing_of_it(url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        checked(url)

    assert "hunter2" not in str(caught.value)


def test_a_file_without_certificates_vouches_for_nobody(tmp_path: Path) -> None:
    (tmp_path / "root.crt").write_text("no certificate")

    with pytest.raises(ValueError, match="its sslrootcert is no file of certificates"):
        checked(f"postgresql://db/studio?sslrootcert={tmp_path}/root.crt")


@pytest.mark.parametrize("mode", ["", "?sslmode=disable", "?sslmode=allow", "?sslmode=prefer"])
@pytest.mark.parametrize("host", ["db", "10.0.0.7:5432", "localhost,db", "[2001:db8::1]", "studio:pass@db:5432"])
def test_a_network_without_tls_for_sure_is_exposed(host: str, mode: str) -> None:
    assert is_exposed(f"postgresql://{host}/studio{mode}", {})


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////var/lib/studio.db",
        "postgresql://db/studio?sslmode=require",
        "postgresql://db/studio?sslmode=verify-full",
        "postgresql://localhost/studio",
        "postgresql://127.0.0.1:5432,127.0.0.2/studio?sslmode=disable",
        "postgresql://[::1]:5432/studio",
        "postgresql:///studio?host=/var/run/postgresql",
        "postgresql://%2Fvar%2Frun%2Fpostgresql/studio",
    ],
)
def test_tls_and_this_machine_are_not_exposed(url: str) -> None:
    assert not is_exposed(url, {})


def test_what_the_address_leaves_open_the_environment_says() -> None:
    assert not is_exposed("postgresql://db/studio", {"PGSSLMODE": "require"})
    assert is_exposed("postgresql:///studio", {"PGHOST": "db"})
