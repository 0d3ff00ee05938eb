"""How long to wait before trying again."""

import random


def backoff(failures: int, *, first: float, most: float) -> float:
    """Seconds to wait after so many failures in a row: doubling from `first` to `most`, then jittered.

    The jitter only shortens (to no less than half), so that replicas that failed together do not return together.
    """
    exponent = min(max(failures, 1) - 1, 32)
    return min(most, first * 2.0**exponent) * random.uniform(0.5, 1.0)
