"""Against published tables, against what can be worked out by hand, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netbench.stats import estimate, paired_ratio, pooled_ratio, rounds_needed, t_quantile

# As in printed tables, which mostly have three decimals; the fourth from the finite trigonometric series that the
# distribution has for whole degrees of freedom, another way than the one tested here
TABLE = [
    (0.975, 1, 12.7062),
    (0.975, 2, 4.3027),
    (0.975, 3, 3.1824),
    (0.975, 4, 2.7764),
    (0.975, 10, 2.2281),
    (0.975, 30, 2.0423),
    (0.975, 120, 1.9799),
    (0.975, math.inf, 1.9600),
    (0.95, 1, 6.3138),
    (0.95, 5, 2.0150),
    (0.99, 2, 6.9646),
    (0.995, 1, 63.6567),
    (0.995, 2, 9.9248),
    (0.995, 6, 3.7074),
    (0.995, 20, 2.8453),
    (0.999, 1, 318.3088),
    (0.999, 4, 7.1732),
]


@pytest.mark.parametrize(("probability", "df", "expected"), TABLE)
def test_t_quantiles_are_those_of_published_tables(probability: float, df: float, expected: float) -> None:
    assert t_quantile(probability, df) == pytest.approx(expected, abs=6e-5)


@given(st.floats(0.6, 0.9999), st.sampled_from((1.0, 2.0)))
def test_t_quantiles_have_closed_forms_for_one_and_two_degrees_of_freedom(probability: float, df: float) -> None:
    central = 2 * probability - 1
    closed = math.tan(math.pi * central / 2) if df == 1 else central * math.sqrt(2 / (1 - central**2))
    assert t_quantile(probability, df) == pytest.approx(closed, rel=1e-6)


@given(st.floats(0.51, 0.9999), st.floats(1, 1e7), st.floats(1, 1e7))
def test_more_degrees_of_freedom_never_widen(probability: float, one: float, other: float) -> None:
    few, many = sorted((one, other))
    assert t_quantile(probability, few) >= t_quantile(probability, many) * (1 - 1e-5)
    assert t_quantile(probability, many) >= t_quantile(probability, math.inf) * (1 - 1e-5)


def test_quantiles_are_symmetric() -> None:
    assert t_quantile(0.025, 4) == pytest.approx(-t_quantile(0.975, 4))
    assert t_quantile(0.5, 4) == 0


@pytest.mark.parametrize(("probability", "df"), [(0.975, 0), (0.975, 0.5), (0.975, math.nan), (0, 3), (1, 3), (2, 3)])
def test_there_are_no_other_quantiles(probability: float, df: float) -> None:
    with pytest.raises(ValueError, match="no t quantile"):
        t_quantile(probability, df)


def test_an_estimate_worked_out_by_hand() -> None:
    found = estimate([5.0, 7.0, 9.0])
    assert (found.n, found.mean, found.median, found.sd) == (3, 7.0, 7.0, 2.0)
    assert found.interval is not None
    assert found.interval.half_width == pytest.approx(4.302653 * 2 / math.sqrt(3), rel=1e-6)
    assert (found.interval.low + found.interval.high) / 2 == pytest.approx(7)


def test_one_value_has_no_interval_rather_than_one_of_zero_width() -> None:
    found = estimate([5.0])
    assert (found.mean, found.sd, found.interval) == (5.0, None, None)
    assert paired_ratio([5.0], [4.0]).interval is None
    assert pooled_ratio([([5.0], [4.0]), ([3.0], [4.0])]).interval is None


@pytest.mark.parametrize(
    ("values", "references"), [([], []), ([1.0], []), ([1.0], [1.0, 2.0]), ([0.0], [1.0]), ([1.0], [-1.0])]
)
def test_what_has_no_ratio(values: list[float], references: list[float]) -> None:
    with pytest.raises(ValueError, match=r"paired|above zero"):
        paired_ratio(values, references)


def test_nothing_has_no_mean_and_no_ratio() -> None:
    with pytest.raises(ValueError, match="no values"):
        estimate([])
    with pytest.raises(ValueError, match="no values"):
        pooled_ratio([])


def test_a_drift_that_both_share_does_not_touch_a_paired_ratio() -> None:
    found = paired_ratio([1.8, 0.9, 3.6], [2.0, 1.0, 4.0])
    assert found.value == pytest.approx(0.9)
    assert found.interval is not None
    assert found.interval.half_width == pytest.approx(0, abs=1e-12)


def test_a_ratio_and_its_inverse_agree() -> None:
    values, references = [1.8, 1.1, 3.0], [2.0, 1.0, 4.0]
    there, back = paired_ratio(values, references), paired_ratio(references, values)
    assert there.interval is not None
    assert back.interval is not None
    assert there.value == pytest.approx(1 / back.value)
    assert there.interval.low == pytest.approx(1 / back.interval.high)


def test_strata_that_differ_from_each_other_do_not_widen_the_interval() -> None:
    alike = pooled_ratio([([0.99, 1.0, 1.01], [1, 1, 1]), ([0.99, 1.0, 1.01], [1, 1, 1])])
    apart = pooled_ratio([([0.99, 1.0, 1.01], [1, 1, 1]), ([1.98, 2.0, 2.02], [1, 1, 1])])
    assert apart.interval is not None
    assert alike.interval is not None
    assert apart.value == pytest.approx(alike.value * math.sqrt(2))
    width = math.log(apart.interval.high / apart.interval.low)
    assert width == pytest.approx(math.log(alike.interval.high / alike.interval.low))
    assert (apart.n, apart.strata) == (6, 2)


def test_values_that_are_worlds_apart_give_a_very_wide_interval_and_no_overflow() -> None:
    found = paired_ratio([1e300, 1e-300], [1.0, 1.0])
    assert found.interval is not None
    assert found.interval.low == 0
    assert 1e300 < found.interval.high < math.inf


def test_rounds_needed_is_the_least_number_that_is_enough() -> None:
    values = [9.8, 10.0, 10.2]  # mean 10, sd 0.2
    for relative in (0.2, 0.05, 0.02, 0.01, 0.001):
        n = rounds_needed(values, relative)
        assert n is not None
        assert t_quantile(0.975, n - 1) * 0.2 / math.sqrt(n) <= relative * 10 * (1 + 1e-9)
        assert n == 2 or t_quantile(0.975, n - 2) * 0.2 / math.sqrt(n - 1) > relative * 10
    assert rounds_needed([5.0, 5.0], 0.01) == 2


def test_rounds_needed_is_unknown_where_there_is_no_spread_or_no_scale() -> None:
    assert rounds_needed([5.0], 0.01) is None
    assert rounds_needed([-1.0, 1.0], 0.01) is None
    with pytest.raises(ValueError, match="cannot be reached"):
        rounds_needed([5.0, 6.0], 0)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_interval_of_the_mean_covers_as_often_as_it_says(n: int) -> None:
    runs = 4000
    draws = np.random.default_rng(20261123).normal(10, 2, (runs, n))
    hits = sum(interval.contains(10) for row in draws if (interval := estimate(list(row)).interval))
    assert hits / runs == pytest.approx(0.95, abs=0.012)  # 3.5 standard errors


@pytest.mark.parametrize("spreads", [(1, 1, 1), (1, 0.2, 0.04), (1, 0.12, 0.12), (1, 0.01, 0.01), (1, 1, 0.02)])
@pytest.mark.parametrize("confidence", [0.95, 0.9875])
def test_the_interval_of_a_pooled_ratio_covers_at_least_as_often_as_it_says(
    spreads: tuple[float, ...], confidence: float
) -> None:
    """Cells whose line is full vary much less than others, and that must not make claims bolder."""
    runs, generator = 3000, np.random.default_rng(7)
    truths = np.array([0.8, 0.9, 1.1])
    center = float(np.exp(np.mean(np.log(truths))))
    hits = 0
    for _ in range(runs):
        drift = generator.lognormal(0, 0.5, 3)  # from round to round, the same for both
        noise = np.exp(0.05 * generator.normal(0, 1, (2, 3, 3)) * np.array(spreads)[None, :, None])
        strata = [(list(t * drift * noise[0, i]), list(drift * noise[1, i])) for i, t in enumerate(truths)]
        interval = pooled_ratio(strata, confidence).interval
        assert interval is not None
        hits += interval.contains(center)
    assert hits / runs >= confidence - 3 * math.sqrt(confidence * (1 - confidence) / runs)  # standard errors


def test_a_group_of_one_leaves_the_interval_unknown() -> None:
    found = pooled_ratio([([0.99, 1.0, 1.01], [1, 1, 1]), ([2.0], [1.0])])
    assert (found.n, found.strata, found.interval) == (4, 2, None)
