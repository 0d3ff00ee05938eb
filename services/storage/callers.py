"""Who is calling, and what both servicers answer alike."""

from __future__ import annotations

from chassis.auth import current_caller

DEFAULT_LIMIT = 20
NO_CONTENT = (("x-http-code", "204"),)


def viewer() -> str | None:
    """The user who is calling; None for a service, which may see everything."""
    caller = current_caller()
    return None if caller.is_service else caller.user_id
