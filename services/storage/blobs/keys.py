"""Keys, as every place for bytes takes them."""

from __future__ import annotations

from services.storage.domain import is_key


def checked(key: str) -> str:
    """The key itself; any other than one of ours is a bug, and could name what is not ours to touch."""
    if not is_key(key):
        raise ValueError(f"not a key for a blob: {key!r}")
    return key
