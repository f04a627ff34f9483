"""The same cells within a zone and across zones, from two runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from netbench.analyse.findings import Code, Confidence, Finding, ratio_params
from netbench.analyse.summaries import Analysis, CellSummary, MetricSummary
from netbench.analyse.views import ALPHA, LEAST_ROUNDS
from netbench.model import Cell, ZoneMode
from netbench.stats import Contrast, holm, independent_ratio


@dataclass(frozen=True)
class OtherZone:
    """A run of the other mode, to compare with."""

    run: str
    zone: ZoneMode
    analysis: Analysis


def zones(analysis: Analysis, other: OtherZone) -> Iterator[Finding]:
    """Across zones against within one, a finding a probe, whichever of the two runs is ``other``.

    Cells are compared with themselves, at another time: nothing pairs their values, so a drift between the runs shows.
    """
    theirs = {probe.probe: probe.primary for probe in other.analysis.probes}
    pairs = [(probe.primary, theirs[probe.probe]) for probe in analysis.probes if probe.probe in theirs]
    for mine, yours in pairs:
        if mine.metric == yours.metric:
            cross, same = (yours, mine) if other.zone is ZoneMode.CROSS else (mine, yours)
            yield from _compared(cross, same, other.run, len(pairs))


def _compared(cross: MetricSummary, same: MetricSummary, run: str, probes: int) -> Iterator[Finding]:
    counterparts = {summary.cell: summary for summary in same.cells}
    both = [
        (summary, counterparts[summary.cell])
        for summary in cross.cells
        if summary.cell in counterparts and _usable(summary) and _usable(counterparts[summary.cell])
    ]
    if not both:
        return
    groups = [tuple([value.value for value in side.values] for side in pair) for pair in both]
    ratios = [independent_ratio([(ours, theirs)]) for ours, theirs in groups]
    adjusted = holm([1.0 if ratio.p_value is None else ratio.p_value for ratio in ratios])
    rounds = min(side.rounds for pair in both for side in pair)
    listed: dict[str, list[dict[str, object]]] = {"lower": [], "higher": [], "noise": []}
    for (summary, _), ratio, p_value in zip(both, ratios, adjusted, strict=True):
        clear = rounds >= LEAST_ROUNDS and p_value <= ALPHA / probes
        name = ("lower" if ratio.estimate < 0 else "higher") if clear else "noise"
        listed[name].append(_entry(summary.cell, ratio))
    whole = ratio_params(independent_ratio([(ours, theirs) for ours, theirs in groups]))
    params = {"probe": cross.probe, "metric": cross.metric, "run": run, **whole, **listed}
    if rounds < LEAST_ROUNDS:
        confidence = Confidence.UNKNOWN
    else:
        confidence = Confidence.CLEAR if listed["lower"] or listed["higher"] else Confidence.NOISE
    yield Finding(Code.ZONES, params, tuple(summary.cell for summary, _ in both), confidence)


def _usable(summary: CellSummary) -> bool:
    return bool(summary.values) and all(value.value > 0 for value in summary.values)


def _entry(cell: Cell, ratio: Contrast) -> dict[str, object]:
    return {"source": cell.source, "destination": cell.destination, **ratio_params(ratio)}
