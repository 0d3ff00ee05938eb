"""A system for programs that are not asynchronous, or that have event loops of their own to come and go."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from deploy.local.settings import LocalSettings
from deploy.local.system import LocalSystem

T = TypeVar("T")


class BackgroundSystem:
    """A LocalSystem on an event loop in a thread of its own; every method may be called from any thread."""

    def __init__(self, system: LocalSystem) -> None:
        self._system = system
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="local system", daemon=True)

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return self._system.url

    @property
    def settings(self) -> LocalSettings:
        """What the system runs with."""
        return self._system.settings

    @property
    def parts(self) -> tuple[str, ...]:
        """As LocalSystem.parts."""
        return self._system.parts

    def start(self) -> None:
        """As LocalSystem.start."""
        self._thread.start()
        try:
            self._run(self._system.start())
        except BaseException:
            self._end()
            raise

    def wait_ready(self, timeout: float | None = None) -> None:
        """As LocalSystem.wait_ready."""
        self._run(self._system.wait_ready(timeout))

    def stop(self) -> None:
        """As LocalSystem.stop."""
        try:
            self._run(self._system.stop())
        finally:
            self._end()

    def pid(self, part: str) -> int:
        """As LocalSystem.pid."""
        return self._system.pid(part)

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> None:
        """As LocalSystem.kill."""
        self._system.kill(part, number)

    def start_part(self, part: str) -> None:
        """As LocalSystem.start_part."""
        self._run(self._system.start_part(part))

    def stop_part(self, part: str) -> None:
        """As LocalSystem.stop_part."""
        self._run(self._system.stop_part(part))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
