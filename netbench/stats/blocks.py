"""Comparisons in a model of the whole run: rounds are blocks, and every value helps to tell how much values vary.

For one metric, with values above zero:

    log(value) = unit + round + slope * place + noise

A unit is what was measured again in every round: one cell on one pair of nodes. A round is a block: what all its
values have in common, such as the time of day, drops out of every comparison. ``place`` is when within its round a
value was taken (-0.5 .. 0.5), so ``slope`` is what drifts on while a round lasts; each round has a slope of its own
where the values ask for it. A comparison is a contrast: a weighted sum of units whose weights add up to zero, which on
the log scale is the logarithm of a ratio.

The design is the randomised complete block with a covariate: R. A. Fisher, "The Design of Experiments" (1935), chapter
4; W. G. Cochran and G. M. Cox, "Experimental Designs" (2nd ed. 1957), sections 3.8 and 4.2. Contrasts are fitted by
ordinary least squares. Their errors do not presume that all cells vary alike (one that fills the line hardly varies):
they are built from the squared residuals of the units that a contrast compares (HC2: J. G. MacKinnon and H. White,
Journal of Econometrics 29 (1985) 305-325), with degrees of freedom after R. M. Bell and D. F. McCaffrey, Survey
Methodology 28 (2002) 169-181; G. W. Imbens and M. Kolesár, Review of Economics and Statistics 98 (2016) 701-712,
recommend both for few values. That reckons with cells that vary alike; where the residuals say that few of them carry
the spread, F. E. Satterthwaite's degrees of freedom (Biometrics Bulletin 2 (1946) 110-114) are fewer, and then count.
For three cells against three others after 5 rounds they are some 15, where a t test of two cells has 4.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netbench.stats.means import CONFIDENCE, LARGEST, Interval
from netbench.stats.student import f_p_value, t_p_value, t_quantile

Array = NDArray[np.float64]

LEAST_DF = 2.0  # residual degrees of freedom from which on a spread is known at all
OWN_SLOPES = 0.05  # rounds have slopes of their own where their being one has a p-value below this
LEAST_TOLERANCE = 0.1  # share of the places' variation that units and rounds must leave for a slope to be told
_ESTIMABLE = 1e-6  # how far a contrast may be from what the values determine, and count as determined
_ZERO = 1e-9  # relative size below which a number is the arithmetic's own noise


@dataclass(frozen=True)
class Observation:
    """One value, above zero, of a unit in a round; ``place`` within the round, -0.5 .. 0.5."""

    unit: Hashable
    round: Hashable
    place: float
    value: float


@dataclass(frozen=True)
class Contrast:
    """A comparison on the log scale: estimate, standard error and degrees of freedom.

    ``df`` is 0 where the spread is unknown; then so are p-value and interval.
    """

    estimate: float
    error: float
    df: float

    @property
    def ratio(self) -> float:
        """The estimate as a ratio."""
        return math.exp(self.estimate)

    @property
    def p_value(self) -> float | None:
        """Two-sided, of no difference."""
        if not self.df:
            return None
        if self.error <= _ZERO:
            return 0.0 if abs(self.estimate) > _ZERO else 1.0
        return t_p_value(self.estimate / self.error, self.df)

    def interval(self, confidence: float = CONFIDENCE) -> Interval | None:
        """Of the ratio."""
        if not self.df:
            return None
        half = t_quantile((1 + confidence) / 2, self.df) * self.error
        return Interval(math.exp(self.estimate - half), math.exp(min(self.estimate + half, LARGEST)))


@dataclass(frozen=True)
class Outlier:
    """An observation far from what its unit and its round make expected."""

    observation: Observation
    factor: float  # value / expected, with the expectation from all other observations
    p_value: float  # adjusted for the number of observations


@dataclass(frozen=True)
class Drift:
    """How the rounds of a run differ from each other."""

    factors: Mapping[Hashable, float]  # by round, in order: its level as a factor of the geometric mean of all
    p_value: float  # of their being one


class BlockModel:
    """The model, fitted to the observations of one metric."""

    def __init__(self, observations: Sequence[Observation]) -> None:
        """Raises ValueError for none, and for values that are not above zero."""
        if not observations:
            raise ValueError("there is no model of no values")
        if min(observation.value for observation in observations) <= 0:
            raise ValueError("only numbers above zero have ratios")
        self.observations = tuple(observations)
        self.units = tuple(dict.fromkeys(observation.unit for observation in observations))
        self._rounds = tuple(dict.fromkeys(observation.round for observation in observations))
        self._logs = np.log([observation.value for observation in observations])
        self._index = {unit: index for index, unit in enumerate(self.units)}
        self._rows = np.array([self._index[observation.unit] for observation in observations])
        self._fit = self._best()

    @property
    def df(self) -> int:
        """Residual degrees of freedom of the whole model."""
        return self._fit.df

    def contrast(self, weights: Mapping[Hashable, float]) -> Contrast | None:
        """``weights`` by unit, adding up to zero. None where the values do not tell."""
        fit = self._fit
        if any(unit not in self._index for unit in weights):
            return None
        wanted = np.zeros(fit.design.shape[1])
        for unit, weight in weights.items():
            wanted[self._index[unit]] = weight
        if float(np.abs(wanted @ fit.gram - wanted).max()) > _ESTIMABLE:
            return None
        free = 1 - fit.leverage
        estimate = float(wanted @ fit.effects)
        if fit.df < LEAST_DF:
            return Contrast(estimate, math.inf, 0.0)
        # each value's share in the contrast; one that the fit follows wherever it goes (free = 0) tells no spread
        shares = np.divide((fit.design @ fit.inverse @ wanted) ** 2, free, out=np.zeros_like(free), where=free > _ZERO)
        error = math.sqrt(float(shares @ fit.residuals**2))
        weighted = (fit.design.T * shares) @ fit.design @ fit.inverse
        spread = float(shares**2 @ (1 - 2 * fit.leverage)) + float(np.einsum("ij,ji->", weighted, weighted))
        mean = float(shares @ free)
        df = min(mean**2 / spread, self._satterthwaite(shares, free)) if spread > 0 else 0.0
        return Contrast(estimate, error, df) if df >= 1 else Contrast(estimate, math.inf, 0.0)

    def _satterthwaite(self, shares: Array, free: Array) -> float:
        """Degrees of freedom from how much each unit does vary; infinite where none does."""
        parts = np.bincount(self._rows, shares * self._fit.residuals**2)
        known = np.bincount(self._rows, free)
        told = known > _ZERO
        spread = float(np.sum(parts[told] ** 2 / known[told]))
        return float(np.sum(parts)) ** 2 / spread if spread > _ZERO**4 else math.inf

    def drift(self) -> Drift | None:
        """None with one round, or where the spread is unknown."""
        if len(self._rounds) < 2 or self._fit.df < LEAST_DF:
            return None
        shifts = self._fit.effects[len(self.units) : len(self.units) + len(self._rounds)]
        mean = float(np.mean(shifts))
        factors = {name: math.exp(float(shift) - mean) for name, shift in zip(self._rounds, shifts, strict=True)}
        without = _Fit(self._design(rounds=False, slopes=self._slopes), self._logs)
        return Drift(factors, _nested(without, self._fit))

    def outliers(self, alpha: float) -> tuple[Outlier, ...]:
        """Values whose deleted (externally studentized) residuals are too large for chance, Bonferroni over all.

        R. D. Cook and S. Weisberg, "Residuals and Influence in Regression" (1982), section 2.2.1.
        """
        fit, found = self._fit, []
        total = float(fit.residuals @ fit.residuals)
        for observation, residual, leverage in zip(self.observations, fit.residuals, fit.leverage, strict=True):
            free = float(1 - leverage)
            if free < _ZERO or fit.df - 1 < LEAST_DF or abs(residual) < _ZERO:
                continue
            scale = math.sqrt(max(0.0, total - residual**2 / free) / (fit.df - 1) * free)
            p_value = t_p_value(float(residual) / scale, fit.df - 1) if scale > _ZERO else 0.0
            adjusted = min(1.0, p_value * len(self.observations))
            if adjusted <= alpha:
                found.append(Outlier(observation, math.exp(float(residual) / free), adjusted))
        return tuple(found)

    def _best(self) -> _Fit:
        """Without slopes, with one for all rounds, or with one for each: as many as the values can and do tell."""
        self._slopes = 0
        plain = _Fit(self._design(slopes=0), self._logs)
        places = np.array([observation.place for observation in self.observations])
        rest = _Fit(plain.design, places).residuals
        if float(rest @ rest) < max(LEAST_TOLERANCE * float(((places - places.mean()) ** 2).sum()), _ZERO):
            return plain  # as without interleaving, where each unit has the same place in every round
        self._slopes = 1
        common = _Fit(self._design(slopes=1), self._logs)
        own = _Fit(self._design(slopes=len(self._rounds)), self._logs)
        if own.df >= LEAST_DF and _nested(common, own) < OWN_SLOPES:
            self._slopes = len(self._rounds)
            return own
        return common

    def _design(self, *, slopes: int, rounds: bool = True) -> Array:
        """A row an observation: units, then rounds, then places (one column, or one a round)."""
        numbers = {name: index for index, name in enumerate(self._rounds)}
        first = len(self.units) + (len(numbers) if rounds else 0)
        design = np.zeros((len(self.observations), first + slopes))
        for row, observation in enumerate(self.observations):
            design[row, self._index[observation.unit]] = 1
            if rounds:
                design[row, len(self.units) + numbers[observation.round]] = 1
            if slopes:
                design[row, first + (numbers[observation.round] if slopes > 1 else 0)] = observation.place
        return design


class _Fit:
    """Ordinary least squares. By the pseudo-inverse: units and rounds alone add up to the same."""

    def __init__(self, design: Array, values: Array) -> None:
        self.design = design
        self.inverse = np.linalg.pinv(design.T @ design, rcond=_ZERO)
        self.gram = self.inverse @ (design.T @ design)
        self.leverage = np.einsum("ij,jk,ik->i", design, self.inverse, design)
        self.effects = self.inverse @ (design.T @ values)
        self.residuals = values - design @ self.effects
        self.df = len(values) - round(float(self.leverage.sum()))


def _nested(small: _Fit, large: _Fit) -> float:
    """The p-value of what the large model has more being nothing."""
    within = float(large.residuals @ large.residuals)
    more = float(small.residuals @ small.residuals) - within
    freed = small.df - large.df
    if freed < 1 or large.df < 1:
        return 1.0
    if within <= len(large.residuals) * _ZERO**2:
        return 0.0 if more > len(large.residuals) * _ZERO**2 else 1.0
    return f_p_value(max(0.0, more) / freed / (within / large.df), freed, large.df)
