"""Ports of this machine: free ones, and a plain word about those that are not."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Mapping

from deploy.local.errors import PortsInUse

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on.

    They come from below the range that kernels hand out by themselves, so that no outgoing connection takes one
    before its part listens, or while its part is being restarted.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(20_000, 32_000)
        if port not in found and why_unusable(port) is None:
            found.append(port)
    return found


def check_ports(wanted: Mapping[str, int]) -> None:
    """Checks a port for each variable.

    Raises:
        PortsInUse: naming every variable whose port cannot be had.
    """
    problems = [f"{name}: port {port} {why}" for name, port in wanted.items() if (why := why_unusable(port))]
    by_port: dict[int, list[str]] = {}
    for name, port in wanted.items():
        by_port.setdefault(port, []).append(name)
    problems += [f"{', '.join(names)}: all want port {port}" for port, names in by_port.items() if len(names) > 1]
    if problems:
        raise PortsInUse("\n".join(problems))


def why_unusable(port: int) -> str | None:
    """Why nothing of ours can listen on a port; None when it can."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            return "may not be used by this user" if error.errno == errno.EACCES else "is already in use"
    # Not every kernel refuses the bind when somebody listens on all addresses at once.
    return "is already in use" if listens(port) else None


def listens(port: int) -> bool:
    """Whether anything answers on a port."""
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex((HOST, port)) == 0
