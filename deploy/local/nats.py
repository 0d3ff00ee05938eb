"""The NATS server of a system that runs on one machine."""

import asyncio
import json
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from chassis.files import has_room
from deploy.local.ports import HOST

LOOK_FOR = 2.0
"""Seconds the server may take to say how it is."""


def server_config(*, port: int, store_dir: Path, user: str, password: str, monitor_port: int | None = None) -> str:
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

authorization {{
  user: {json.dumps(user)}
  password: {json.dumps(password)}
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
    return f"stores nothing more: {trouble}" if trouble else None


def _trouble(monitor_port: int) -> str | None:
    """What the server says is wrong with it; None when nothing is, or when it cannot be asked."""
    try:
        with closing(HTTPConnection(HOST, monitor_port, timeout=LOOK_FOR)) as server:
            server.request("GET", "/healthz")
            answer = server.getresponse()
            return None if answer.status == 200 else str(json.loads(answer.read()).get("error"))
    except (OSError, HTTPException):
        return None
