"""Reads the templates again when their files have changed, for whoever writes one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from services.prompt.domain import PromptTemplate
from services.prompt.template_files import read_complete_directory
from services.prompt.template_yaml import TemplateInvalid

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""

_State = dict[Path, tuple[int, int, int]]


class Reloading:
    """Tells of a directory's templates whenever they change: of all of them, and of none while one is bad."""

    def __init__(
        self, exchange: Callable[[Sequence[PromptTemplate]], None], directory: Path, *, every: float = EVERY
    ) -> None:
        """`exchange` takes the new templates in place of the old."""
        self._exchange = exchange
        self._directory = directory
        self._every = every
        # So the first look reads once more: what changes while the service starts is not missed.
        self._seen: _State = {}

    async def watch(self) -> None:
        """Ends only by cancellation."""
        while True:
            await asyncio.sleep(self._every)
            await self.look()

    async def look(self) -> None:
        """Takes over what has changed since the last look; a bad file is told of once, until it changes again."""
        seen = await asyncio.to_thread(_state, self._directory)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            templates = await asyncio.to_thread(read_complete_directory, self._directory)
            self._exchange(templates)
        except TemplateInvalid as error:
            log.error("a template is bad, so all stay as they were", extra={"why": str(error)})
        else:
            log.info("read the templates", extra={"templates": len(templates)})


def _state(directory: Path) -> _State:
    """What tells a change of any file; one that goes away meanwhile is gone at the next look at the latest."""
    found: _State = {}
    with suppress(OSError):  # a directory went away
        for path in directory.rglob("*.y*ml"):
            found[path] = _stat(path)
    return found


def _stat(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_mtime_ns, status.st_size
