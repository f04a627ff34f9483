"""Numbers for people: units, digits, percentages. The only place where SI base units become anything else."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from netbench.stats import Interval

DIGITS = 3  # significant ones of the smallest number that is shown beside others
MOST = 6  # decimals

# A plain number ("1") that is a fraction, by (probe, metric); other plain numbers are counts or multiples.
PERCENT = frozenset({("pps", "loss"), ("latency", "loss")})

# Units that people know by the size of the largest number shown: (from, factor, label).
_LADDERS: dict[str, tuple[tuple[float, float, str], ...]] = {
    "bit/s": ((1e8, 1e9, "Gbit/s"), (1e5, 1e6, "Mbit/s"), (0, 1e3, "kbit/s")),
    "packets/s": ((1e4, 1e3, "kpps"), (0, 1, "PPS")),
    "s": ((10, 1, "s"), (5e-5, 1e-3, "ms"), (0, 1e-6, "µs")),
    "%": ((0, 1e-2, "%"),),
    "1": ((0, 1, ""),),
}


@dataclass(frozen=True)
class Scale:
    """How numbers that stand together are shown: all in one unit, with the same decimals."""

    label: str  # of the unit, may be empty
    factor: float  # one of the shown unit in the base unit
    decimals: int

    def number(self, value: float) -> str:
        """Without the unit."""
        text = f"{value / self.factor:.{self.decimals}f}"
        return text.replace("-", "−") if float(text) else text.lstrip("-")

    def spread(self, half: float) -> str:
        """Half an interval's width; not a zero where it is only narrow. Below 1e-6 it is the arithmetic's own noise."""
        text, shown = self.number(half), half / self.factor
        return f"{shown:.{-math.floor(math.log10(shown))}f}" if float(text) == 0 and shown >= 1e-6 else text

    def quantity(self, value: float) -> str:
        """With the unit."""
        return f"{self.number(value)} {self.label}".rstrip()


def scale(unit: str, values: Iterable[float], *, percent: bool = False, size: float | None = None) -> Scale:
    """The scale for these numbers; a unit that is not known is shown as it is.

    ``size``: the number that the unit has to fit; None for the largest of the values.
    """
    found = [abs(value) for value in values if math.isfinite(value)]  # sums of huge numbers are infinite
    largest = max(found, default=0.0)
    ladder = _LADDERS.get("%" if percent else unit, ((0, 1, unit),))
    _, factor, label = next(step for step in ladder if (largest if size is None else size) >= step[0])
    smallest = min((value / factor for value in found if value), default=1.0)
    # what is far below the largest is not worth more decimals than three orders below it
    least = max(smallest, largest / factor * 1e-3)
    decimals = DIGITS - 1 - math.floor(math.log10(least)) if largest else 0
    return Scale(label, factor, min(MOST, max(0, decimals)))


def quantity(value: float, unit: str) -> str:
    """One number with a fitting unit."""
    found = scale(unit, [value])
    text = found.number(value)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{text} {found.label}".rstrip()


def ratio(value: float, decimals: int = 2) -> str:
    """As in "×0.98"."""
    return f"×{_ratio(value, decimals)}"


def ratio_spread(half: float) -> str:
    """Half an interval of a ratio; never a zero where it is only narrow."""
    return _ratio(half, 2) if half >= 0.005 or half < 1e-6 else f"{half:.1g}"


def bounds(interval: Interval, decimals: int = 3) -> tuple[str, str]:
    """An interval of ratios as ("0.951", "1.012"); with more decimals where one would read as 1 and is not."""
    while decimals < MOST and any(
        bound != 1 and round(bound, decimals) == 1 for bound in (interval.low, interval.high)
    ):
        decimals += 1
    return _ratio(interval.low, decimals), _ratio(interval.high, decimals)


def difference(value: float) -> str:
    """A ratio as a signed percentage: 0.82 is "−18 %"."""
    percent = (value - 1) * 100
    if percent > 999:
        return "+999 % or more"
    text = f"{percent:+.1f}" if abs(percent) < 10 else f"{percent:+.0f}"
    return f"{text.replace('-', '−')} %"


def percent(share: float) -> str:
    """A fraction as a percentage: 0.949 is "94.9 %"."""
    value = share * 100
    text = f"{value:.1f}" if value >= 10 else f"{value:.3g}"
    return f"{text.removesuffix('.0')} %"


def p_value(value: float) -> str:
    """As in "p = 0.031", never as zero."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"


def _ratio(value: float, decimals: int) -> str:
    return "1000+" if value > 1000 else f"{value:.{decimals}f}"
