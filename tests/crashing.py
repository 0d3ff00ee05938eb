"""A process that dies between any two steps: what it calls works, until it does not."""

from __future__ import annotations

import inspect
from collections.abc import Container
from typing import Any

from chassis.errors import Unavailable


class Crash(BaseException):
    """No handler may catch it: the process is gone."""


class Fuse:
    """Burns through after so many steps; each call of a port has two, before its effect and after it."""

    def __init__(self, steps: int, error: type[BaseException] = Crash) -> None:
        self._left = steps
        self._error = error
        self.is_burnt = False

    def burn_after(self, steps: int) -> None:
        """Counts from here on."""
        self._left = steps

    def step(self) -> None:
        if self.is_burnt:
            return
        if self._left == 0:
            self.is_burnt = True
            raise self._error("between two steps") if self._error is Unavailable else self._error
        self._left -= 1


def fused(port: Any, fuse: Fuse, *, but: Container[str] = ()) -> Any:
    """The port, with a step of the fuse before and after each of its coroutines, but for those of these names."""
    return _Fused(port, fuse, but)


class _Fused:
    def __init__(self, port: Any, fuse: Fuse, but: Container[str]) -> None:
        self._port = port
        self._fuse = fuse
        self._but = but

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name in self._but or not inspect.iscoroutinefunction(method):
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._fuse.step()
            result = await method(*args, **kwargs)
            self._fuse.step()
            return result

        return call
