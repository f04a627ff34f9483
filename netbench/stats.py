"""Means with their uncertainty, ratios of paired values, and how many rounds a wanted precision takes.

Every interval is two-sided and describes repetition: what the same measurement, made again under the same
circumstances, would give. One value alone says nothing of that, so its interval is None (unknown), never of zero width.
Probabilities and confidences are fractions (0.95); values are in any unit, and results in the same one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

CONFIDENCE = 0.95

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_NORMAL_FROM = 1e6  # degrees of freedom; from there on t and normal quantiles differ by less than 1e-5
_ENOUGH = 1e-10  # relative error of a quantile
_LARGEST = 709.0  # whose exponential is a finite number: values may be far apart, and degrees of freedom few


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
    """A geometric mean of ``n`` ratios over ``strata`` groups; no unit. The interval is None where it is unknown."""

    n: int
    value: float
    interval: Interval | None
    strata: int = 1


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


def paired_ratio(values: Sequence[float], references: Sequence[float], confidence: float = CONFIDENCE) -> Ratio:
    """How ``values`` compare with ``references``, of the same length and paired by position.

    The geometric mean of value / reference, with a t interval on the log scale. Pairing takes out what both have in
    common, such as a drift from round to round. Raises ValueError for none, for unequal lengths, and for what is not
    above zero.
    """
    return pooled_ratio([(values, references)], confidence)


def pooled_ratio(strata: Sequence[tuple[Sequence[float], Sequence[float]]], confidence: float = CONFIDENCE) -> Ratio:
    """One ratio over several groups of (values, references), each paired by position; every group weighs the same.

    The groups may differ in their ratios and in their spread: what is estimated is the (geometric) mean of these
    groups' ratios, and only the spread within the groups makes the interval. Its degrees of freedom are those of the
    smallest group, the cautious choice: by simulation it covers at least as often as it says, whatever the groups'
    spreads are. Satterthwaite's formula would make it up to half as wide, but where one of three groups of three
    varies much more than the others, as beside full lines, it covers 97.6 % where 98.75 % is said. The
    interval is None where a group has one value only: its spread is unknown. Raises ValueError as ``paired_ratio``
    does.
    """
    logs = [_logs(values, references) for values, references in strata]
    if not logs:
        raise ValueError("there is no ratio of no values")
    n = sum(len(group) for group in logs)
    center = float(np.mean([np.mean(group) for group in logs]))
    smallest = min(len(group) for group in logs)
    if smallest == 1:
        return Ratio(n, math.exp(center), None, len(logs))
    error = math.sqrt(sum(float(np.var(group, ddof=1)) / len(group) for group in logs)) / len(logs)
    half = t_quantile((1 + confidence) / 2, smallest - 1) * error
    return Ratio(
        n, math.exp(center), Interval(math.exp(center - half), math.exp(min(center + half, _LARGEST))), len(logs)
    )


def rounds_needed(values: Sequence[float], relative: float, confidence: float = CONFIDENCE) -> int | None:
    """How many values it takes until the interval's half width is at most ``relative`` (a fraction) of the mean.

    The least n >= 2 with t(n-1) * sd / sqrt(n) <= relative * abs(mean), with mean and sd of the values there are; from
    three values it is a rough number. None where it cannot be told: less than two values, or a mean of zero.
    """
    if relative <= 0:
        raise ValueError(f"a relative half width of {relative} cannot be reached")
    if len(values) < 2:
        return None
    array = np.asarray(values, dtype=float)
    mean, sd = abs(float(np.mean(array))), float(np.std(array, ddof=1))
    if mean == 0:
        return None

    def enough(n: int) -> bool:
        return t_quantile((1 + confidence) / 2, n - 1) * sd / math.sqrt(n) <= relative * mean

    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@lru_cache(maxsize=1024)
def t_quantile(probability: float, df: float) -> float:
    """The value that Student's t with ``df`` >= 1 (``math.inf`` too) stays below with that probability.

    Worked out from the density of Student's distribution: with t = sqrt(df) tan(u) the probability of abs(T) < t is
    an integral over cos(u)^(df-1) from 0, which is smooth. It is taken by Gauss-Legendre
    quadrature, and its inverse by bisection. Raises ValueError for df < 1 or a probability that is not between 0 and 1.
    """
    if not df >= 1 or not 0 < probability < 1:
        raise ValueError(f"there is no t quantile for df={df}, probability={probability}")
    if probability < 0.5:
        return -t_quantile(1 - probability, df)
    if probability == 0.5:
        return 0.0
    normal = NormalDist().inv_cdf(probability)
    if df > _NORMAL_FROM:
        return normal
    inside = 2 * probability - 1
    low, high = normal, 2 * normal  # t quantiles lie further out than normal ones
    while _t_inside(high, df) < inside:
        low, high = high, 2 * high
    while high - low > _ENOUGH * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _t_inside(middle, df) < inside else (low, middle)
    return high


def _t_inside(t: float, df: float) -> float:
    """The probability of abs(T) < t."""
    scale = 2 * math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(math.pi)
    end = math.atan(t / math.sqrt(df))
    angles = end / 2 * (_NODES + 1)
    return scale * end / 2 * float(np.sum(_WEIGHTS * np.cos(angles) ** (df - 1)))


def _logs(values: Sequence[float], references: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if not values or len(values) != len(references):
        raise ValueError(f"{len(values)} values cannot be paired with {len(references)}")
    if min(*values, *references) <= 0:
        raise ValueError("only numbers above zero have ratios")
    return np.log(np.asarray(values, dtype=np.float64)) - np.log(np.asarray(references, dtype=np.float64))
