"""Student's t, Fisher's F, and Holm's correction for many comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from scipy import special


@lru_cache(maxsize=1024)
def t_quantile(probability: float, df: float) -> float:
    """The value that Student's t with ``df`` >= 1 (``math.inf`` too) stays below with that probability.

    Raises ValueError for df < 1 or a probability that is not between 0 and 1.
    """
    if not df >= 1 or not 0 < probability < 1:
        raise ValueError(f"there is no t quantile for df={df}, probability={probability}")
    return float(special.ndtri(probability) if math.isinf(df) else special.stdtrit(df, probability))


def t_p_value(t: float, df: float) -> float:
    """The two-sided p-value of a t statistic: how often chance alone gives one as far from zero."""
    return float(2 * special.stdtr(df, -abs(t)))


def f_p_value(f: float, df_between: float, df_within: float) -> float:
    """The p-value of an F statistic."""
    return float(special.fdtrc(df_between, df_within, f))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: those at most alpha keep the chance of any false claim among all within alpha.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979)
    65-70. Holds for any dependence between the comparisons.
    """
    count = len(p_values)
    adjusted = [1.0] * count
    highest = 0.0
    for rank, index in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted
