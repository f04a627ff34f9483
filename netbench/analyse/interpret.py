"""What the numbers say, as data, in the order in which a reader asks: limits, into, out of, what is odd, overall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netbench.analyse.anomalies import environment_anomalies, probe_anomalies
from netbench.analyse.findings import Code, Confidence, Finding
from netbench.analyse.limits import limits
from netbench.analyse.summaries import Analysis, CellSummary, MetricSummary
from netbench.analyse.views import LEAST_ROUNDS, views
from netbench.model import Manifest, Plan
from netbench.stats import rounds_needed

WANTED = 0.02  # half width, as a share of the mean, for which the rounds are worked out

_GROUP = {Confidence.CLEAR: "clear", Confidence.NOISE: "noise", Confidence.UNKNOWN: "unknown"}
_MISSING = "missing"


def interpret(analysis: Analysis, plan: Plan, manifest: Manifest) -> tuple[Finding, ...]:
    """All findings of a run. A difference is CLEAR only where its corrected interval excludes 1."""
    found: list[Finding] = []
    for probe in analysis.probes:
        compared = views(analysis, probe.primary)
        found += limits(analysis, probe.primary, plan, manifest)
        found += compared
        found += _resolution(analysis, probe.primary)
        found += probe_anomalies(plan, probe)
        found += _overall(analysis, probe.primary, compared)
    found += environment_anomalies(plan, manifest)
    if analysis.rounds < LEAST_ROUNDS:
        params = {"rounds": analysis.rounds, "least": LEAST_ROUNDS}
        found.append(Finding(Code.FEW_ROUNDS, params, confidence=Confidence.UNKNOWN))
    if not analysis.baseline:
        found.append(Finding(Code.NO_BASELINE, confidence=Confidence.UNKNOWN))
    return tuple(found)


def _resolution(analysis: Analysis, metric: MetricSummary) -> Iterator[Finding]:
    """How wide the widest interval of a cell is, and how many rounds would make it narrow."""
    widths = [(width, summary) for summary in metric.cells if (width := _relative(summary)) is not None]
    if not widths or analysis.rounds < LEAST_ROUNDS:
        return
    width, widest = max(widths, key=lambda entry: entry[0])
    params = {
        "probe": metric.probe,
        "metric": metric.metric,
        "rounds": analysis.rounds,
        "half": width,
        "wanted": WANTED,
        "needed": rounds_needed([value.value for value in widest.values], WANTED),
    }
    yield Finding(Code.RESOLUTION, params, (widest.cell,))


def _relative(summary: CellSummary) -> float | None:
    """Half the interval as a share of the mean."""
    estimate = summary.estimate
    if estimate is None or estimate.interval is None or estimate.mean == 0:
        return None
    return estimate.interval.half_width / abs(estimate.mean)


def _overall(analysis: Analysis, metric: MetricSummary, compared: Sequence[Finding]) -> Iterator[Finding]:
    groups: dict[str, list[dict[str, object]]] = {name: [] for name in (*_GROUP.values(), _MISSING)}
    for finding in compared:
        entry = {"direction": finding.code.value, "kind": finding.params["kind"], "ratio": finding.params["ratio"]}
        groups[_GROUP[finding.confidence] if finding.params["n"] else _MISSING].append(entry)
    if compared:
        cells = tuple(dict.fromkeys(cell for finding in compared for cell in finding.cells))
        confidence = next((c for c in Confidence if groups[_GROUP[c]]), Confidence.UNKNOWN)
        about = {"probe": metric.probe, "metric": metric.metric, "baseline": analysis.baseline}
        yield Finding(Code.OVERALL, {**about, **groups}, cells, confidence)
