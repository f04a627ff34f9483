"""Numbers as people read them."""

from __future__ import annotations

import pytest

from netbench.report import format
from netbench.stats import Interval


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1.91e9, "bit/s", "1.91 Gbit/s"),
        (2e9, "bit/s", "2 Gbit/s"),
        (9.4e7, "bit/s", "94 Mbit/s"),
        (2.5e6, "packets/s", "2500 kpps"),
        (812.0, "packets/s", "812 PPS"),
        (1.4e-4, "s", "0.14 ms"),
        (3.1e-6, "s", "3.1 µs"),
        (12.0, "s", "12 s"),
        (42.0, "requests/s", "42 requests/s"),
        (0.0, "bit/s", "0 kbit/s"),
        (3.0, "1", "3"),
        (-0.25, "1", "−0.25"),
    ],
)
def test_quantities(value: float, unit: str, text: str) -> None:
    assert format.quantity(value, unit) == text


def test_numbers_that_stand_together_share_unit_and_decimals() -> None:
    scale = format.scale("s", [1.4e-4, 2.3e-2])
    assert (scale.number(1.4e-4), scale.number(2.3e-2), scale.label) == ("0.140", "23.000", "ms")


def test_a_number_far_below_the_others_does_not_blow_up_the_decimals() -> None:
    assert format.scale("1", [1e-9, 5000.0]).number(5000.0) == "5000.00"
    assert format.scale("1", []).number(0.0) == "0"


@pytest.mark.parametrize(("half", "text"), [(0.021, "0.02"), (0.0, "0.00"), (0.0004, "0.0004"), (1e-17, "0.00")])
def test_a_narrow_interval_is_not_shown_as_none(half: float, text: str) -> None:
    assert format.Scale("", 1, 2).spread(half) == text


def test_negative_zero_is_zero() -> None:
    assert format.Scale("", 1, 2).number(-0.001) == "0.00"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.95, 1.05, ("0.950", "1.050")),
        (0.982, 0.99962, ("0.9820", "0.9996")),  # it excludes 1, and must be seen to
        (0.9, 1.0, ("0.900", "1.000")),
        (0.0, 1e300, ("0.000", "1000+")),
    ],
)
def test_bounds_never_read_as_1_where_they_are_not(low: float, high: float, expected: tuple[str, str]) -> None:
    assert format.bounds(Interval(low, high)) == expected


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.82, "−18 %"), (1.02, "+2.0 %"), (1.0, "+0.0 %"), (3.5, "+250 %"), (50.0, "+999 % or more")]
)
def test_differences(ratio: float, text: str) -> None:
    assert format.difference(ratio) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.949, "94.9 %"), (0.95, "95 %"), (1.0012, "100.1 %"), (0.00411, "0.411 %"), (0.001, "0.1 %")]
)
def test_percentages(share: float, text: str) -> None:
    assert format.percent(share) == text
