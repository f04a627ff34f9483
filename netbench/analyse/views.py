"""Traffic into each kind, and out of it, against the baseline: what the matrix says about one kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from netbench.analyse.findings import Code, Confidence, Finding
from netbench.analyse.pairing import Paired, pair_values
from netbench.analyse.summaries import Analysis, MetricSummary
from netbench.model import Cell
from netbench.stats import CONFIDENCE, paired_ratio, pooled_ratio

LEAST_ROUNDS = 3  # from two values a spread is a guess; a statement on noise needs more

Compared = tuple[Cell, Cell]


@dataclass(frozen=True)
class _View:
    """A kind in one direction: its cells, each beside the one where the baseline takes its place."""

    code: Code
    kind: str
    compared: tuple[Compared, ...]


def views(analysis: Analysis, metric: MetricSummary) -> tuple[Finding, ...]:
    """For each kind but the baseline: INTO (same sources) and OUT_OF (same destinations). Empty without a baseline.

    Each source (destination) is a stratum, so that sources may differ from each other without widening the interval.
    Several comparisons are made, and one of them may look like a difference by chance: their intervals are
    Bonferroni's, at 1 - 0.05 / comparisons each. Where there is nothing to compare, ratio is None and n is 0.
    """
    strata = {
        view: {cells: paired for cells in view.compared if (paired := _pair(metric, cells))}
        for view in _views(analysis)
    }
    comparisons = sum(map(bool, strata.values()))
    return tuple(_finding(analysis, metric, view, found, comparisons) for view, found in strata.items())


def _views(analysis: Analysis) -> Iterator[_View]:
    base = analysis.baseline
    for kind in analysis.kinds if base else ():
        if kind != base:
            yield _View(Code.INTO, kind, tuple((Cell(s, kind), Cell(s, base)) for s in analysis.kinds))
            yield _View(Code.OUT_OF, kind, tuple((Cell(kind, d), Cell(base, d)) for d in analysis.kinds))


def _pair(metric: MetricSummary, cells: Compared) -> Paired | None:
    ours, theirs = (metric.cell(cell).values for cell in cells)
    return pair_values(ours, theirs)


def _finding(
    analysis: Analysis, metric: MetricSummary, view: _View, strata: Mapping[Compared, Paired], comparisons: int
) -> Finding:
    params: dict[str, object] = {
        "probe": metric.probe,
        "metric": metric.metric,
        "kind": view.kind,
        "baseline": analysis.baseline,
        "comparisons": comparisons,
        "planned": len(view.compared) * max(summary.planned for summary in metric.cells),
    }
    if not strata:
        nothing = dict.fromkeys(("ratio", "low", "high", "confidence", "least", "most"))
        return Finding(view.code, {**params, **nothing, "n": 0}, _cells(view.compared), Confidence.UNKNOWN)
    confidence = 1 - (1 - CONFIDENCE) / comparisons
    ratio = pooled_ratio(list(strata.values()), confidence)
    interval = ratio.interval
    single = [paired_ratio(*paired).value for paired in strata.values()]
    params |= {
        "least": min(single),
        "most": max(single),
        "ratio": ratio.value,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "n": ratio.n,
        "confidence": confidence,
    }
    fewest = min(len(values) for values, _ in strata.values())
    if analysis.rounds < LEAST_ROUNDS or fewest < LEAST_ROUNDS or interval is None:
        verdict = Confidence.UNKNOWN
    else:
        verdict = Confidence.NOISE if interval.contains(1) else Confidence.CLEAR
    return Finding(view.code, params, _cells(strata), verdict)


def _cells(compared: Iterable[Compared]) -> tuple[Cell, ...]:
    return tuple(dict.fromkeys(cell for cells in compared for cell in cells))
