"""Whose brand kits the caller of an RPC may read."""

from __future__ import annotations

from chassis.auth import current_caller


def reader() -> str | None:
    """A user, who may read their own; or None for a service, which may read everybody's."""
    caller = current_caller()
    return None if caller.is_service else caller.user_id
