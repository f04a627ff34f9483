"""What the numbers say, as data, in the order in which a reader asks: limits, into, out of, what is odd, overall."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from netbench.analyse.anomalies import environment_anomalies, probe_anomalies
from netbench.analyse.comparisons import compare, fitted
from netbench.analyse.findings import Code, Confidence, Finding
from netbench.analyse.limits import limits
from netbench.analyse.oddities import oddities
from netbench.analyse.precision import Width, rounds_for, widest, widths
from netbench.analyse.summaries import Analysis, MetricSummary
from netbench.analyse.views import LEAST_ROUNDS, views
from netbench.analyse.zones import OtherZone, zones
from netbench.model import Manifest, Plan

WANTED = 0.02  # half width of a compared ratio's interval, for which the rounds are worked out

_GROUP = {Confidence.CLEAR: "clear", Confidence.NOISE: "noise", Confidence.UNKNOWN: "unknown"}
_MISSING = "missing"
_OTHERS = "others"


def interpret(
    analysis: Analysis, plan: Plan, manifest: Manifest, other: OtherZone | None = None
) -> tuple[Finding, ...]:
    """All findings of a run. A difference is CLEAR only where chance hardly makes one among all that are compared.

    ``other``: a run of the other mode, for what crossing zones costs.
    """
    models = {probe.probe: fitted(probe.primary) for probe in analysis.probes}
    compared = {probe.probe: compare(analysis, probe.primary, models[probe.probe]) for probe in analysis.probes}
    told = views([(probe.primary, comparison) for probe in analysis.probes for comparison in compared[probe.probe]])
    known = {probe.probe: widths(analysis, probe.primary, compared[probe.probe]) for probe in analysis.probes}
    found: list[Finding] = []
    for probe in analysis.probes:
        of_probe = [finding for finding in told if finding.params["probe"] == probe.probe]
        found += limits(analysis, probe.primary, plan, manifest)
        found += of_probe
        found += _resolution(analysis, probe.primary, known[probe.probe])
        found += probe_anomalies(plan, probe)
        found += oddities(analysis, probe.primary, models[probe.probe], len(analysis.probes))
        found += _overall(analysis, probe.primary, of_probe)
    if other is not None:
        found += zones(analysis, other)
    found += environment_anomalies(plan, manifest)
    found += _precision(plan, list(known.values()))
    if analysis.rounds < LEAST_ROUNDS:
        params = {"rounds": analysis.rounds, "least": LEAST_ROUNDS}
        found.append(Finding(Code.FEW_ROUNDS, params, confidence=Confidence.UNKNOWN))
    if not analysis.baseline:
        found.append(Finding(Code.NO_BASELINE, confidence=Confidence.UNKNOWN))
    return tuple(found)


def _resolution(analysis: Analysis, metric: MetricSummary, known: Sequence[Width]) -> Iterator[Finding]:
    """How wide the widest interval of a compared ratio is, and how many rounds would make it narrow."""
    width = widest(known)
    if width is None or analysis.rounds < LEAST_ROUNDS:
        return
    params = {
        "probe": metric.probe,
        "metric": metric.metric,
        "rounds": analysis.rounds,
        "half": width.half,
        "wanted": WANTED,
        "needed": rounds_for(width, WANTED),
    }
    yield Finding(Code.RESOLUTION, params, width.cells)


def _precision(plan: Plan, by_probe: Sequence[Sequence[Width]]) -> Iterator[Finding]:
    """Whether the precision that was asked for was reached."""
    if plan.precision is None:
        return
    wanted = plan.precision.wanted
    found = list(chain.from_iterable(by_probe))
    missed = [width for width in found if not width.reaches(wanted)]
    width = widest(found)
    params = {
        "wanted": wanted,
        "half": width.half if width else None,
        "reached": all(by_probe) and not missed,
        "spent": "rounds" if plan.rounds >= plan.precision.max_rounds else "time",
        "rounds": plan.rounds,
    }
    cells = tuple(dict.fromkeys(cell for width in missed for cell in width.cells))
    yield Finding(Code.PRECISION, params, cells, Confidence.CLEAR if params["reached"] else Confidence.UNKNOWN)


def _overall(analysis: Analysis, metric: MetricSummary, compared: Sequence[Finding]) -> Iterator[Finding]:
    groups: dict[str, list[dict[str, object]]] = {name: [] for name in (*_GROUP.values(), _MISSING, _OTHERS)}
    for finding in compared:
        about = {name: finding.params[name] for name in ("kind", "baseline", "ratio")}
        entry = {"direction": finding.code.value, **about}
        if finding.params["baseline"] == analysis.baseline:
            groups[_GROUP[finding.confidence] if finding.params["n"] else _MISSING].append(entry)
        elif finding.confidence is Confidence.CLEAR:
            groups[_OTHERS].append(entry)
    if any(groups.values()):
        cells = tuple(dict.fromkeys(cell for finding in compared for cell in finding.cells))
        confidence = next((c for c in Confidence if groups[_GROUP[c]]), Confidence.UNKNOWN)
        params = {"probe": metric.probe, "metric": metric.metric, "baseline": analysis.baseline}
        yield Finding(Code.OVERALL, {**params, **groups}, cells, confidence)
