"""The NATS servers of a system that runs on one machine."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote

from chassis.files import has_room
from deploy.local.ports import HOST

WRITE_ERROR = "write error"
LOOK_FOR = 2.0
"""Seconds the server may take to say how it is."""


@dataclass(frozen=True, slots=True)
class Member:
    """One server's place in a cluster."""

    name: str
    port: int
    """Where the others reach it."""
    routes: tuple[int, ...]
    """Where they all reach each other, its own port among them."""


def server_config(
    *,
    port: int,
    store_dir: Path,
    user: str,
    password: str,
    monitor_port: int | None = None,
    member: Member | None = None,
) -> str:
    """The text of a nats-server configuration; it holds the password, so its file is for the owner alone.

    On its `monitor_port` it says how it is.
    """
    monitor = f'http: "127.0.0.1:{monitor_port}"\n' if monitor_port else ""
    return f"""\
host: "127.0.0.1"
port: {port}
{monitor}\

jetstream {{
  store_dir: {json.dumps(str(store_dir))}
  # By default three quarters of what is free at the start: nothing, for as long as it runs, if the disk is full then.
  max_file_store: 1TB
  # By default a message is acknowledged before it is on disk, and lost when the power fails.
  sync_interval: always
}}

{_authorization(user, password)}
{_cluster(member, user, password) if member else ""}"""


def server_url(user: str, password: str, ports: tuple[int, ...]) -> str:
    """Where the servers are, with commas between, as clients take it."""
    return ",".join(f"nats://{_login(user, password)}@127.0.0.1:{port}" for port in ports)


def _cluster(member: Member, user: str, password: str) -> str:
    routes = [f"nats-route://{_login(user, password)}@127.0.0.1:{port}" for port in member.routes]
    return f"""
server_name: {json.dumps(member.name)}
cluster {{
  name: "studio"
  listen: "127.0.0.1:{member.port}"
  routes: {json.dumps(routes)}
  {_authorization(user, password)}
}}
"""


async def stopped_storing(monitor_port: int, store_dir: Path) -> str | None:
    """Why a server has to be started again: it stores nothing, and could.

    After one write that failed, nats-server stores nothing more in that stream until it is started again, however much
    room there is by then, and tells its publishers nothing.
    """
    if not has_room(store_dir):
        return None  # it would be where it is now soon
    trouble = await asyncio.to_thread(_trouble, monitor_port)
    # A server of a cluster is also unwell while it elects a leader, or catches up; to start it again would undo that.
    return f"stores nothing more: {trouble}" if trouble and WRITE_ERROR in trouble else None


def _trouble(monitor_port: int) -> str | None:
    """What the server says is wrong with it; None when nothing is, or when it cannot be asked."""
    try:
        with closing(HTTPConnection(HOST, monitor_port, timeout=LOOK_FOR)) as server:
            server.request("GET", "/healthz")
            answer = server.getresponse()
            return None if answer.status == 200 else str(json.loads(answer.read()).get("error"))
    except (OSError, HTTPException):
        return None


def _authorization(user: str, password: str) -> str:
    return f"authorization {{ user: {json.dumps(user)}, password: {json.dumps(password)} }}"


def _login(user: str, password: str) -> str:
    return f"{quote(user, safe='')}:{quote(password, safe='')}"
