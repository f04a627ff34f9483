"""Does traffic reach what the slower end of a cell allows? Known only where instance types have limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from netbench.analyse.findings import Code, Confidence, Finding
from netbench.analyse.summaries import Analysis, CellSummary, MetricSummary
from netbench.analyse.views import LEAST_ROUNDS
from netbench.model import Cell, Manifest, Pair, Plan

REACHED = 0.95  # of what the limit leaves for payload
TOO_MUCH = 1.05  # of it: then the limit is not what is said of it
USUAL_MTU = 1500

# TCP over IPv4 on Ethernet: 20 + 20 bytes of headers within the MTU; 14 + 4 for the frame, 8 + 12 for preamble and gap
HEADERS, FRAMING = 40, 38


@dataclass(frozen=True)
class Limit:
    """What a unit is limited by: a field of InstanceType, and whether the limit counts the headers too."""

    field: str
    with_headers: bool = False
    bound: bool = False  # an idle machine is expected to reach it: one that stays below calls for a look


#: One stream of small datagrams keeps one core busy and little else: nobody expects it to reach a packet limit.
LIMITS = {"bit/s": Limit("bandwidth", with_headers=True, bound=True), "packets/s": Limit("pps")}


@dataclass(frozen=True)
class Reach:
    """A cell against its limit, as shares of what the limit leaves for payload."""

    summary: CellSummary
    limit: float  # the lowest of its pairs of nodes, in the metric's unit
    share: float
    low: float | None
    high: float | None

    @property
    def reached(self) -> bool:
        return self.share >= REACHED

    @property
    def certain(self) -> bool:
        """Whether the interval lies on one side of the threshold."""
        return self.low is not None and self.high is not None and not self.low < REACHED <= self.high


def limits(analysis: Analysis, metric: MetricSummary, plan: Plan, manifest: Manifest) -> tuple[Finding, ...]:
    """Saturation (LIMIT_...) of one metric, then what is odd about it. Empty where its unit has no limits."""
    limit = LIMITS.get(metric.unit)
    measured = [summary for summary in metric.cells if summary.values]
    if limit is None or not measured:
        return ()
    about: dict[str, object] = {"probe": metric.probe, "metric": metric.metric, "unit": metric.unit}
    mtu = lowest_mtu(manifest) or USUAL_MTU
    payload = _payload(limit, mtu)
    reaches = list(reach_of_cells(metric, plan, manifest).values())
    if not reaches:
        types = sorted({endpoint.instance_type or "" for endpoint in plan.endpoints})
        cells = tuple(summary.cell for summary in measured)
        return (Finding(Code.LIMIT_UNKNOWN, {**about, "types": types}, cells, Confidence.UNKNOWN),)
    used = {endpoint.instance_type for endpoint in plan.endpoints}
    sources = sorted({kind.source for name, kind in manifest.instance_types.items() if kind.source and name in used})
    about["limit"] = min(reach.limit for reach in reaches)
    terms = {"payload": payload, "mtu": mtu if limit.with_headers else None, "source": sources}
    return (_saturation(reaches, {**about, **terms}), *_odd(analysis, limit, reaches, about))


def reach_of_cells(metric: MetricSummary, plan: Plan, manifest: Manifest) -> dict[Cell, Reach]:
    """Each cell against its limit; without those for which none is known."""
    limit = LIMITS.get(metric.unit)
    if limit is None:
        return {}
    known = _known(limit, plan, manifest)
    payload = _payload(limit, lowest_mtu(manifest) or USUAL_MTU)
    reaches = ((summary.cell, _reach(summary, known, payload)) for summary in metric.cells if summary.values)
    return {cell: reach for cell, reach in reaches if reach}


def _payload(limit: Limit, mtu: int) -> float:
    """The share of a limit that is left for payload."""
    return (mtu - HEADERS) / (mtu + FRAMING) if limit.with_headers else 1.0


def lowest_mtu(manifest: Manifest) -> int | None:
    """The lowest MTU among the endpoints; None where none is known."""
    found = (facts.facts.get("mtu", "") for facts in manifest.environment)
    return min((int(mtu) for mtu in found if mtu.isdecimal() and int(mtu) > HEADERS), default=None)


def _known(limit: Limit, plan: Plan, manifest: Manifest) -> dict[str, float]:
    """The limit of each node that has one."""
    found: dict[str, float] = {}
    for endpoint in plan.endpoints:
        kind = manifest.instance_types.get(endpoint.instance_type or "")
        value = getattr(kind, limit.field) if kind else None
        if value:
            found[endpoint.node] = value
    return found


def _reach(summary: CellSummary, known: Mapping[str, float], payload: float) -> Reach | None:
    """None where a node has no known limit."""
    pairs = {value.pair for value in summary.values}
    if summary.estimate is None or any(node not in known for pair in pairs for node in (pair.source, pair.destination)):
        return None

    def lower(pair: Pair) -> float:
        return min(known[pair.source], known[pair.destination])

    shares = [value.value / (lower(value.pair) * payload) for value in summary.values]
    share = sum(shares) / len(shares)
    interval, mean = summary.estimate.interval, summary.estimate.mean
    spread = interval.half_width / mean * share if interval and mean else None
    low, high = (share - spread, share + spread) if spread is not None else (None, None)
    return Reach(summary, min(map(lower, pairs)), share, low, high)


def _saturation(reaches: list[Reach], about: Mapping[str, object]) -> Finding:
    reached = [reach for reach in reaches if reach.reached]
    code = Code.LIMIT_NONE if not reached else Code.LIMIT_ALL if len(reached) == len(reaches) else Code.LIMIT_SOME
    rounds = min(reach.summary.rounds for reach in reaches)
    if rounds < LEAST_ROUNDS:
        confidence = Confidence.UNKNOWN
    else:
        confidence = Confidence.CLEAR if all(reach.certain for reach in reaches) else Confidence.NOISE
    params = {
        **about,
        "reached": len(reached),
        "cells": len(reaches),
        "lowest": min(reach.share for reach in reaches),
        "highest": max(reach.share for reach in reaches),
    }
    shown = reached if code is Code.LIMIT_SOME else reaches
    return Finding(code, params, tuple(reach.summary.cell for reach in shown), confidence)


def _odd(analysis: Analysis, limit: Limit, reaches: list[Reach], about: Mapping[str, object]) -> Iterable[Finding]:
    for reach in reaches:
        cell, estimate = reach.summary.cell, reach.summary.estimate
        params = {**about, "limit": reach.limit, "share": reach.share, "mean": estimate.mean if estimate else None}
        confidence = Confidence.CLEAR if reach.certain else Confidence.UNKNOWN
        if limit.bound and cell == analysis.baseline_cell and not reach.reached:
            yield Finding(Code.BASELINE_BELOW_LIMIT, params, (cell,), confidence)
    above = [reach for reach in reaches if reach.share > TOO_MUCH]
    if above:
        most = max(above, key=lambda reach: reach.share)
        mean = most.summary.estimate.mean if most.summary.estimate else None
        params = {**about, "limit": most.limit, "share": most.share, "mean": mean}
        yield Finding(Code.ABOVE_LIMIT, params, tuple(reach.summary.cell for reach in above))
