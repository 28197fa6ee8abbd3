"""Percentiles and histograms of times."""

from collections.abc import Sequence
from math import ceil

BOUNDS_MILLISECONDS = (10, 30, 100, 300, 1000, 3000, 10_000)
"""Upper bounds of the histogram's bars; one more bar holds what took longer."""


def percentile(milliseconds: Sequence[float], share: float) -> float:
    """The least time within which that share of the calls (0 to 1) was answered: nearest rank. Raises IndexError for
    no times.
    """
    return sorted(milliseconds)[max(ceil(share * len(milliseconds)) - 1, 0)]


def histogram(milliseconds: Sequence[float]) -> list[int]:
    """How many calls fall into each bar."""
    bars = [0] * (len(BOUNDS_MILLISECONDS) + 1)
    for time in milliseconds:
        bars[next((i for i, bound in enumerate(BOUNDS_MILLISECONDS) if time <= bound), len(BOUNDS_MILLISECONDS))] += 1
    return bars
