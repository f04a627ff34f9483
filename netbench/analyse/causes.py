"""What bounds a cell: the line, the packet limit, the generator, a CPU, or the path. What cannot be told is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from netbench.analyse.limits import LIMITS, REACHED, TOO_MUCH, Reach, reach_of_cells
from netbench.analyse.summaries import CellSummary, MetricSummary
from netbench.model import Cell, Manifest, Plan

MOST_STEPS = 0.5  # of a cell's steps, beyond which a flag speaks for the cell

# Flags by what they say of the cause, see probes/ and run/validity.py. Time stolen is none: it slows a CPU, and only
# where nothing is left of that CPU does it bound anything.
CEILING = frozenset({"generator-ceiling"})
CPU = frozenset({"cpu-bound", "cpu-one-core", "cpu-full", "throttled"})
SENDER = frozenset({"sender-limited"})
OTHERS = "other-traffic"
EVIDENCE = (*sorted(CEILING | CPU | SENDER), OTHERS, "cpu-steal", "nic-drops")


class Cause(str, Enum):
    """What a cell would need more of to get further."""

    LINE_RATE = "line-rate"  # bandwidth of the slower end
    PPS_LIMIT = "pps-limit"  # packets a second of the slower end
    GENERATOR = "generator"  # the tool made no more
    CPU = "cpu"  # a core, all cores or the CPU quota of one end
    PATH = "path"  # none of the others: the network between, or its software
    UNKNOWN = "unknown"


class Why(str, Enum):
    """Why a cause is not known."""

    ABOVE_LIMIT = "above-limit"  # more went through than the limit allows: it is not what is said of it
    NO_LIMIT = "no-limit"  # none is known for the instance types: the line cannot be told from the path
    UNWATCHED = "unwatched"  # not every end told what its CPUs did
    OTHERS = "others"  # others' traffic shared the NIC: what the cell could have had is not known


@dataclass(frozen=True)
class Bound:
    """What bounds one cell, and by what that is known."""

    cell: Cell
    cause: Cause
    share: float | None  # of what the limit leaves for payload; None where no limit is known
    limit: float | None  # the lowest of the cell's pairs of nodes, in the metric's unit
    flags: Mapping[str, int]  # flag that speaks for or against a cause -> steps that raised it
    steps: int  # with a result
    why: Why | None = None  # of UNKNOWN


_LIMITED = {"bandwidth": Cause.LINE_RATE, "pps": Cause.PPS_LIMIT}


def bounds(metric: MetricSummary, plan: Plan, manifest: Manifest) -> tuple[Bound, ...]:
    """For each cell with a value what bounds it; empty for a metric that no limit bounds, such as a time.

    A limit that is reached comes first: a CPU that is full at line rate costs nothing. Then what the tool says of
    itself, then a CPU that most steps found full at one of their ends, then a sender of which everything arrived. Only
    where the limit is known, both ends were watched and none of these holds is it the path.
    """
    limit = LIMITS.get(metric.unit)
    if limit is None:
        return ()
    reaches = reach_of_cells(metric, plan, manifest)
    found = []
    for summary in metric.cells:
        if summary.values:
            reach = reaches.get(summary.cell)
            flags = _flags(summary)
            cause, why = _cause(summary, flags, reach, _LIMITED[limit.field])
            share, most = (reach.share, reach.limit) if reach else (None, None)
            found.append(Bound(summary.cell, cause, share, most, flags, summary.ok, why))
    return tuple(found)


def _flags(summary: CellSummary) -> dict[str, int]:
    raised: dict[str, set[str]] = {}
    for found in summary.flags:
        raised.setdefault(found.flag.code, set()).add(found.step)
    return {code: len(raised[code]) for code in EVIDENCE if code in raised}


def _cause(
    summary: CellSummary, flags: Mapping[str, int], reach: Reach | None, limited: Cause
) -> tuple[Cause, Why | None]:
    if reach is not None and REACHED <= reach.share <= TOO_MUCH:
        return limited, None
    for codes, cause in ((CEILING, Cause.GENERATOR), (CPU, Cause.CPU), (SENDER, Cause.GENERATOR)):
        if _most(summary, codes):
            return cause, None
    if reach is None:
        return Cause.UNKNOWN, Why.NO_LIMIT
    if reach.share > TOO_MUCH:
        return Cause.UNKNOWN, Why.ABOVE_LIMIT
    if summary.watched < summary.ok:
        return Cause.UNKNOWN, Why.UNWATCHED
    if OTHERS in flags:
        return Cause.UNKNOWN, Why.OTHERS
    return Cause.PATH, None


def _most(summary: CellSummary, codes: frozenset[str]) -> bool:
    """Whether most steps raised at least one of these flags."""
    steps = {found.step for found in summary.flags if found.flag.code in codes}
    return len(steps) > MOST_STEPS * summary.ok
