"""Distributions: against published tables and closed forms."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netbench.stats import f_p_value, holm, t_p_value, t_quantile

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


@pytest.mark.parametrize(("probability", "df", "quantile"), TABLE)
def test_p_values_undo_quantiles(probability: float, df: float, quantile: float) -> None:
    if not math.isinf(df):
        assert t_p_value(quantile, df) == pytest.approx(2 * (1 - probability), abs=2e-5)
        assert t_p_value(-quantile, df) == t_p_value(quantile, df)


@pytest.mark.parametrize(("f", "between", "within", "expected"), [(4.2565, 2, 9, 0.05), (6.9266, 2, 12, 0.01)])
def test_f_p_values_are_those_of_published_tables(f: float, between: float, within: float, expected: float) -> None:
    assert f_p_value(f, between, within) == pytest.approx(expected, rel=1e-3)
    assert f_p_value(3.0**2, 1, 7) == pytest.approx(t_p_value(3.0, 7))


def test_holm_worked_out_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == [pytest.approx(p) for p in (0.03, 0.06, 0.06, 0.02)]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_keeps_the_error_of_the_family() -> None:
    random, runs = Random(3), 4000  # noqa: S311 - nothing is secret here
    wrong = sum(min(holm([random.random() for _ in range(18)])) <= 0.05 for _ in range(runs))
    assert wrong / runs == pytest.approx(0.05, abs=0.012)  # 3.5 standard errors
