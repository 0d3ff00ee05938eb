"""What a service is made of, as its wiring hands it over to be run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import grpc

from chassis.auth import Access, TokenVerifier
from chassis.health import Check

Work = Callable[[], Coroutine[Any, Any, None]]
"""Runs until it is cancelled, or returns when there is nothing left for it to do."""

Farewell = Callable[[], Awaitable[None]]
"""Ends calls that would last for ever."""


class Role(StrEnum):
    """Which half of a service this process is."""

    SERVER = "server"
    """Answers calls."""
    WORKER = "worker"
    """Consumes work; serves health only."""
    ALL = "all"

    @property
    def serves(self) -> bool:
        """Whether it answers calls."""
        return self is not Role.WORKER

    @property
    def works(self) -> bool:
        """Whether it consumes work."""
        return self is not Role.SERVER


@dataclass(frozen=True, slots=True)
class Service:
    """One service; its wiring makes it."""

    name: str
    port: int
    """0: a free one."""
    methods: Mapping[str, Access]
    """Who may call each of its methods, by full name."""
    register: Sequence[Callable[[grpc.aio.Server], None]]
    """Adds its servicers."""
    verifier: TokenVerifier
    serving: Check
    """Health `""`: this process can answer; steers the gateway."""
    ready: Check
    """Health `ready`: every dependency answers; feeds `/readyz` alone."""
    work: Sequence[Work] = ()
    """Background work, each started once and cancelled at the stop."""
    drain: Sequence[Callable[[], Awaitable[None]]] = ()
    """Called at the stop, at once; each returns when its work is finished or given back. Calls may go on meanwhile."""
    farewell: Sequence[Farewell] = ()
    """Called at the stop, when no new calls are taken any more."""
    service_names: Sequence[str] = ()
    """Full names, for reflection."""


class StartRefused(Exception):
    """The service cannot start as things are; the message says what to mend."""
