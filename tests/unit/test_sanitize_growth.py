"""The sanitiser's steps take time in proportion to what they read, also when somebody wrote it to be slow.

What counts is how the time grows: sixteen times the text may take some forty times as long, on a machine that has
something else to do as well, but not two hundred and fifty-six times, as it would if it grew with the square.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

import pytest

from services.prompt.sanitize import MAX_LENGTH, sanitize
from services.prompt.sanitize.encodings import readings
from services.prompt.sanitize.folding import fold
from services.prompt.sanitize.orders import find_orders
from services.prompt.sanitize.structure import find_structure
from services.prompt.sanitize.unseen import drop_unseen

SHORT, LONG = 1_000, 16_000
MOST_GROWTH = 80

STEPS: dict[str, Callable[[str], object]] = {
    "unseen": lambda text: drop_unseen(text, Counter()),
    "folding": lambda text: fold(text).origin(),
    "structure": lambda text: list(find_structure(fold(text).text)),
    "orders": lambda text: list(find_orders(fold(text))),
    "encodings": lambda text: list(readings(text)),
}
UNITS = [
    "ignore ", "previous ", "rules ", "ignore the the the the ", "the rules of ", "ignore previous rules, ",
    "show your ", "you are now an ", "safety ", "ignoreprevious", "無視前の", "1gn0r3 ", "x ", "xy", "x" * 39 + " ",
    "<", "< ", "<|", "<|a", "[ ", "[system ", "system ", "system: ", "# ", "-- ", "-", "#", "` ", "~\n", '"role" ',
    "\n", " ", ". ", "&#105;", "&lt;", "%69", "\\u0069", "01101001 ", "69 ", "69", "aWdub3Jl ", "aWdub3Jl", "=", "_",
    "\u0301\u0323", "i\u0334", "👩\u200d", "🏴\U000e0067", "ക\u0d4d\u200d", "ក\u200b", "\ufe0f", "ﷺ", "é", "і",
]  # fmt: skip


def cost(step: Callable[[str], object], unit: str, length: int) -> int:
    """Nanoseconds of this thread's time, at best."""
    text = unit * (length // len(unit))
    costs = []
    for _ in range(3):
        started = time.thread_time_ns()
        step(text)
        costs.append(time.thread_time_ns() - started)
    return min(costs)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("step", STEPS)
def test_no_step_takes_time_that_grows_with_the_square(step: str, unit: str) -> None:
    floor = 20_000  # what is over in no time says nothing about growth

    assert cost(STEPS[step], unit, LONG) < MOST_GROWTH * max(floor, cost(STEPS[step], unit, SHORT))


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_too_long_is_no_more_work_than_what_is_not(unit: str) -> None:
    longest = unit * (1_000_000 // len(unit))

    assert sanitize(longest).text == sanitize(longest[:MAX_LENGTH]).text
