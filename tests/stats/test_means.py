"""Means: against what can be worked out by hand, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from netbench.stats import estimate, rounds_needed


def test_an_estimate_worked_out_by_hand() -> None:
    found = estimate([5.0, 7.0, 9.0])
    assert (found.n, found.mean, found.median, found.sd) == (3, 7.0, 7.0, 2.0)
    assert found.interval is not None
    assert found.interval.half_width == pytest.approx(4.302653 * 2 / math.sqrt(3), rel=1e-6)
    assert (found.interval.low + found.interval.high) / 2 == pytest.approx(7)


def test_one_value_has_no_interval_rather_than_one_of_zero_width() -> None:
    found = estimate([5.0])
    assert (found.mean, found.sd, found.interval) == (5.0, None, None)


def test_nothing_has_no_mean() -> None:
    with pytest.raises(ValueError, match="no values"):
        estimate([])


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_interval_of_the_mean_covers_as_often_as_it_says(n: int) -> None:
    runs = 4000
    draws = np.random.default_rng(20261123).normal(10, 2, (runs, n))
    hits = sum(interval.contains(10) for row in draws if (interval := estimate(list(row)).interval))
    assert hits / runs == pytest.approx(0.95, abs=0.012)  # 3.5 standard errors


def test_rounds_needed_grow_with_the_square_of_what_is_wanted() -> None:
    assert rounds_needed(0.04, 3, 0.02) == 12
    assert rounds_needed(0.021, 5, 0.02) == 6
    assert rounds_needed(0.01, 5, 0.02) == 5  # what there is is enough
    with pytest.raises(ValueError, match="cannot be reached"):
        rounds_needed(0.04, 3, 0)
