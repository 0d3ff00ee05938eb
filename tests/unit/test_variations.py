"""The order in which a job's variations are shown."""

from __future__ import annotations

from services.generation.variations import StoredItem, in_order_of_palette


def test_the_nearest_comes_first_and_what_was_not_measured_last() -> None:
    far, unmeasured, near, as_near, unmeasured_too = (
        StoredItem(number, f"asset-{number}", distance) for number, distance in enumerate([33.1, None, 0.0, 0.0, None])
    )

    ordered = in_order_of_palette([unmeasured_too, as_near, far, unmeasured, near])

    assert ordered == [near, as_near, far, unmeasured, unmeasured_too]
