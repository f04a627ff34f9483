"""Means with their uncertainty, and how many rounds a wanted precision takes.

Every interval is two-sided and describes repetition: what the same measurement, made again under the same
circumstances, would give. One value alone says nothing of that, so its interval is None (unknown), never of zero width.
Probabilities and confidences are fractions (0.95); values are in any unit, and results in the same one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from netbench.stats.student import t_quantile

CONFIDENCE = 0.95

LARGEST = 709.0  # whose exponential is a finite number: values may be far apart, and degrees of freedom few


@dataclass(frozen=True)
class Interval:
    """``low <= high``; may be wider than what is physically possible, as when it includes negative numbers."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2

    def contains(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Estimate:
    """A mean; sd (n-1) and interval are None where there is one value only."""

    n: int
    mean: float
    median: float
    sd: float | None
    interval: Interval | None


@dataclass(frozen=True)
class Ratio:
    """A ratio of ``n`` values to others; no unit. The interval is None where it is unknown."""

    n: int
    value: float
    interval: Interval | None


def estimate(values: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """The mean of any number of values, with its Student-t interval. Raises ValueError for none."""
    if not values:
        raise ValueError("there is no mean of no values")
    array = np.asarray(values, dtype=float)
    mean, median = float(np.mean(array)), float(np.median(array))
    if len(values) == 1:
        return Estimate(1, mean, median, None, None)
    sd = float(np.std(array, ddof=1))
    half = t_quantile((1 + confidence) / 2, len(values) - 1) * sd / math.sqrt(len(values))
    return Estimate(len(values), mean, median, sd, Interval(mean - half, mean + half))


def rounds_needed(half_width: float, rounds: int, wanted: float) -> int:
    """How many rounds it takes until a half width (a fraction) that ``rounds`` gave is at most ``wanted``.

    Widths shrink with the square root of the number of rounds; that few rounds also know the spread less well is left
    out, so from three rounds it is a rough number, and rather too high.
    """
    if wanted <= 0:
        raise ValueError(f"a relative half width of {wanted} cannot be reached")
    return max(rounds, math.ceil(rounds * (half_width / wanted) ** 2))
