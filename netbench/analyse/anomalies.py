"""What calls for a look before the numbers are believed: failures, retransmits, flags, unlike environments."""

from __future__ import annotations

from collections.abc import Iterator

from netbench.analyse.findings import Code, Finding
from netbench.analyse.summaries import ProbeSummary, StepFlag
from netbench.model import Cell, Manifest, Pair, Plan

# Facts in which endpoints should agree if their numbers are to be compared.
COMPARABLE = ("iperf3", "ping", "kernel", "congestion_control", "mtu", "cpu", "cpus", "arch")

RETRANSMITS = "retransmits"  # the metric that counts segments sent again during a step
SEGMENT = 1448  # bytes of payload at an MTU of 1500, with TCP timestamps
HIGH = 1e-3  # share of segments sent again, from which on a path counts as lossy


def probe_anomalies(plan: Plan, summary: ProbeSummary) -> Iterator[Finding]:
    """What is odd about one probe's steps."""
    yield from _failures(summary)
    yield from _retransmits(plan, summary)
    yield from _flags(summary)


def environment_anomalies(plan: Plan, manifest: Manifest) -> Iterator[Finding]:
    """What makes cells less comparable than they look."""
    yield from _facts(plan, manifest)
    yield from _pairs(plan)
    types = sorted({endpoint.instance_type or "" for endpoint in plan.endpoints})
    if len(types) > 1:
        yield Finding(Code.TYPES_DIFFER, {"types": types})


def _failures(summary: ProbeSummary) -> Iterator[Finding]:
    cells = [cell for cell in summary.primary.cells if cell.failures]
    if cells:
        failed = [failure.outcome.failure for cell in cells for failure in cell.failures]
        params = {
            "probe": summary.probe,
            "failed": len(failed),
            "planned": sum(cell.planned for cell in summary.primary.cells),
            "classes": sorted({failure.value for failure in failed if failure}),
        }
        yield Finding(Code.FAILURES, params, tuple(cell.cell for cell in cells))


def _retransmits(plan: Plan, summary: ProbeSummary) -> Iterator[Finding]:
    """Only a share means something: a count grows with the rate and with time."""
    counted = next((metric for metric in summary.metrics if metric.metric == RETRANSMITS), None)
    if counted is None or summary.primary.unit != "bit/s":
        return
    seconds = {step.cell: step.seconds for step in plan.steps if step.probe == summary.probe}
    shares: dict[Cell, float] = {}
    for cell in counted.cells:
        rate = summary.primary.cell(cell.cell).estimate
        if cell.estimate and rate and rate.mean > 0 and seconds[cell.cell] > 0:
            shares[cell.cell] = cell.estimate.mean / (rate.mean * seconds[cell.cell] / 8 / SEGMENT)
    high = [cell for cell, share in shares.items() if share > HIGH]
    if high:
        params = {"probe": summary.probe, "metric": RETRANSMITS, "highest": max(shares.values()), "above": HIGH}
        yield Finding(Code.RETRANSMITS, params, tuple(high))


def _flags(summary: ProbeSummary) -> Iterator[Finding]:
    raised: dict[str, list[tuple[Cell, StepFlag]]] = {}
    for cell in summary.primary.cells:
        for found in cell.flags:
            raised.setdefault(found.flag.code, []).append((cell.cell, found))
    for code, entries in raised.items():
        params = {
            "probe": summary.probe,
            "flag": code,
            "steps": len({found.step for _, found in entries}),
            "detail": entries[0][1].flag.detail,
        }
        yield Finding(Code.FLAGGED, params, tuple(dict.fromkeys(cell for cell, _ in entries)))


def _facts(plan: Plan, manifest: Manifest) -> Iterator[Finding]:
    used = {endpoint.name for endpoint in plan.endpoints}
    for fact in COMPARABLE:
        values: dict[str, list[str]] = {}
        for facts in manifest.environment:
            if facts.endpoint in used and fact in facts.facts:
                values.setdefault(facts.facts[fact], []).append(facts.endpoint)
        if len(values) > 1:
            yield Finding(Code.FACTS_DIFFER, {"fact": fact, "values": values})


def _pairs(plan: Plan) -> Iterator[Finding]:
    pairs: dict[Cell, set[Pair]] = {}
    for step in plan.steps:
        pairs.setdefault(step.cell, set()).add(step.pair)
    if len({frozenset(found) for found in pairs.values()}) > 1:
        yield Finding(Code.PAIRS_DIFFER, {}, tuple(pairs))
    fewer = [cell for cell, found in pairs.items() if len(found) < plan.pairs]
    if fewer:
        found = min(len(pairs[cell]) for cell in fewer)
        yield Finding(Code.FEWER_PAIRS, {"wanted": plan.pairs, "found": found}, tuple(fewer))
