"""Assets that nobody is to see are deleted, as soon as they can be."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chassis.errors import Unavailable
from services.generation.discarding import discard


class Waste:
    """What waits to be deleted, and a storage service that cannot delete some of it."""

    def __init__(self, *waiting: str, stuck: str = "") -> None:
        self.left = list(waiting)
        self._stuck = stuck

    async def waiting(self, limit: int) -> Sequence[str]:
        return self.left[:limit]

    async def remove(self, asset_id: str) -> None:
        if asset_id == self._stuck:
            raise Unavailable("the storage service did not delete an asset")

    async def done(self, asset_id: str) -> None:
        self.left.remove(asset_id)


async def test_what_waits_is_deleted_and_forgotten() -> None:
    waste = Waste("a", "b")

    await discard(waste, waste)

    assert waste.left == []


async def test_what_cannot_be_deleted_waits_and_holds_up_nothing_else() -> None:
    waste = Waste("a", "b", "c", stuck="a")

    with pytest.raises(Unavailable):
        await discard(waste, waste)

    assert waste.left == ["a"]
