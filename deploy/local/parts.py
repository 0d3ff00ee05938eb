"""What a part is, as far as keeping it alive goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from deploy.local.ports import listens

Ailment = Callable[[], Awaitable[str | None]]
"""What ails a part that runs, if starting it again would help; None when nothing does."""


@dataclass(frozen=True, slots=True)
class Part:
    """One program of the system."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    """Its whole environment."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """Where it listens, by the variable that says so."""
    awaited: bool = False
    """Whether the parts after it start only when it answers."""
    ailment: Ailment | None = None

    def answers(self) -> bool:
        """Whether it listens on every port it should."""
        return all(listens(port) for port in self.ports.values())


def part_names(name: str, count: int) -> tuple[str, ...]:
    """What the replicas of a part are called: the only one has the name for itself."""
    return (name,) if count == 1 else tuple(f"{name}-{number}" for number in range(1, count + 1))


Stages = tuple[tuple[Part, ...], ...]
"""Parts in the order of their start; those of one stage start, and stop, together."""

Say = Callable[[str], None]
"""Tells the person at the terminal one line."""
