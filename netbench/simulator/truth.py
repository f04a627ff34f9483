"""What a perfect instrument would find."""

from __future__ import annotations

import math

from netbench.analyse import Code, Finding
from netbench.model import Cell, ZoneMode
from netbench.simulator.world import World


def true_ratio(world: World, finding: Finding, zone: ZoneMode = ZoneMode.SAME) -> float:
    """The ratio that a finding INTO or OUT_OF estimates: the geometric mean over all sources (destinations)."""
    probe, kind, reference = (str(finding.params[name]) for name in ("probe", "kind", "baseline"))
    logs = []
    for other in world.kinds:
        if finding.code is Code.INTO:
            ours, theirs = Cell(other, kind), Cell(other, reference)
        else:
            ours, theirs = Cell(kind, other), Cell(reference, other)
        logs.append(math.log(world.true_value(probe, ours, zone) / world.true_value(probe, theirs, zone)))
    return math.exp(sum(logs) / len(logs))
