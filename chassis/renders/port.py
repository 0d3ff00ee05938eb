"""What every place for renders must do."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

KEY = re.compile(r"[a-z0-9][a-z0-9.-]{0,127}", re.ASCII)


class RenderMissing(Exception):
    """There is nothing under this key, or no longer."""

    def __init__(self, key: str) -> None:
        super().__init__(f"no render {key}")
        self.key = key


class Renders(Protocol):
    """Bytes under a key of our own making.

    Keys are 1 to 128 of `a-z 0-9 . -`, not starting with a dot or a dash; any other is a ValueError. Every method
    raises Unavailable when the place cannot be reached or written to.
    """

    async def require_room(self) -> None:
        """Must raise Unavailable when a `put` would, as far as that can be told: asked before anything is paid."""
        ...

    async def put(self, key: str, data: bytes) -> None:
        """Must have the bytes on disk when it returns, in place of what was there; readers see one or the other."""
        ...

    async def get(self, key: str) -> bytes:
        """Must raise RenderMissing when there is nothing."""
        ...

    async def delete(self, key: str) -> None:
        """Must succeed when there is nothing."""
        ...

    async def keys(self, older_than: timedelta) -> Sequence[str]:
        """The keys of what was put longer ago than that, in any order."""
        ...

    async def sweep(self, older_than: timedelta) -> int:
        """Must remove what was put longer ago than that; answers how many."""
        ...


def checked(key: str) -> str:
    if not KEY.fullmatch(key):
        raise ValueError(f"not a key for a render: {key!r}")
    return key
