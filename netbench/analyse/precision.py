"""How well the compared ratios of a run are known, and what it takes to know them better."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from netbench.analyse.comparisons import Comparison, compare, fitted
from netbench.analyse.summaries import Analysis, MetricSummary
from netbench.analyse.views import LEAST_ROUNDS
from netbench.model import Cell
from netbench.stats import CONFIDENCE, Interval, rounds_needed, t_quantile


@dataclass(frozen=True)
class Width:
    """How well one compared ratio is known: a cell's to the baseline, or a kind's to another."""

    half: float | None  # the 95 % interval's larger half, as a fraction of the ratio; None where it is unknown
    cells: tuple[Cell, ...]  # that measuring again makes it narrower
    rounds: int  # the fewest that one of these cells has values of

    def reaches(self, wanted: float) -> bool:
        """Whether it is known to ``wanted`` (a fraction), by enough rounds to say so."""
        return self.half is not None and self.half <= wanted and self.rounds >= LEAST_ROUNDS


def widths(analysis: Analysis, metric: MetricSummary, compared: Sequence[Comparison]) -> list[Width]:
    """Of every ratio that the metric's matrix and findings compare. Cells without any value are not waited for."""
    found = []
    base = analysis.baseline_cell
    for summary in metric.cells:
        if summary.ratio is not None and base is not None:
            cells = (summary.cell, base)
            rounds = min(metric.cell(cell).rounds for cell in cells)
            found.append(Width(_half(summary.ratio.interval, summary.ratio.value), cells, rounds))
    for comparison in compared:
        if comparison.contrast is not None:
            half = _half(comparison.contrast.interval(), comparison.contrast.ratio)
            found.append(Width(half, comparison.cells, comparison.rounds))
    return found


def unsettled(analysis: Analysis, wanted: float) -> dict[str, frozenset[Cell]]:
    """By probe, the cells that must be measured again until every compared ratio is known to ``wanted`` (a fraction).

    Probes of which all is known are left out.
    """
    found = {}
    for probe in analysis.probes:
        known = widths(analysis, probe.primary, compare(analysis, probe.primary, fitted(probe.primary)))
        cells = {cell for width in known if not width.reaches(wanted) for cell in width.cells}
        if cells:
            found[probe.probe] = frozenset(cells)
    return found


def widest(found: Sequence[Width]) -> Width | None:
    """The one that is known worst; None where none has an interval."""
    known = [width for width in found if width.half is not None]
    return max(known, key=lambda width: width.half or 0.0, default=None)


def rounds_for(width: Width, wanted: float) -> int | None:
    """About how many rounds it takes until it is known to ``wanted``."""
    return None if width.half is None else rounds_needed(width.half, width.rounds, wanted)


def expected_rounds(spread: float, wanted: float, most: int) -> int | None:
    """About how many rounds it takes where values vary by ``spread`` (a fraction, one standard deviation).

    For a cell's ratio to the baseline on one pair of nodes, the widest of all. None where ``most`` are not enough.
    """
    for rounds in range(LEAST_ROUNDS, most + 1):
        half = t_quantile((1 + CONFIDENCE) / 2, 2 * (rounds - 1)) * spread * math.sqrt(2 / rounds)
        if math.expm1(half) <= wanted:
            return rounds
    return None


def _half(interval: Interval | None, ratio: float) -> float | None:
    return None if interval is None else max(interval.high / ratio - 1, 1 - interval.low / ratio)
