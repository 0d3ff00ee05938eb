"""The variations of a job that were made, and the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class StoredItem:
    """A variation that was made and can be read."""

    number: int
    asset_id: str
    palette_distance: float | None
    """As of its picture."""


def in_order_of_palette(items: Iterable[StoredItem]) -> list[StoredItem]:
    """The nearest to the brand first, those that were not measured last; what is equally near, by number."""
    return sorted(items, key=_place)


def _place(item: StoredItem) -> tuple[float, int]:
    return inf if item.palette_distance is None else item.palette_distance, item.number
