"""What `studio doctor` has to say of one thing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    todo: str = ""
    """What to do about it; empty when there is nothing to be done. Where it is well, this is a warning."""
